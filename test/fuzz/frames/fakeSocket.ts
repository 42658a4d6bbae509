/** Stands for the TCP connection alone, so that a million frames reach the real code in a minute; all behind it is real. */
import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

export class FakeSocket extends EventEmitter {
  readonly bufferedAmount = 0;
  readonly OPEN = 1;
  readyState = 1;
  sentFrames = 0;

  send(_text: string, ...rest: unknown[]): void {
    this.sentFrames++;
    const callback = rest.at(-1);
    if (typeof callback === 'function') setImmediate(callback as () => void);
  }

  ping(): void {
    setImmediate(() => this.emit('pong'));
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    setImmediate(() => this.emit('close', code, Buffer.from(reason)));
  }

  terminate(): void {
    this.close(1006);
  }

  pause(): void {
    // nothing flows by itself here
  }

  resume(): void {
    // as above
  }

  asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}
