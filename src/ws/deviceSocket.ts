/**
 * The connection of one device: hello first and once, then telemetry and answers; cuts the other way.
 *
 * States: greeting (until the hello is taken), open, closing (nothing is taken any more). A bad frame is answered and
 * counted; whatever goes wrong in here ends this connection and no other.
 */
import type { RawData, WebSocket } from 'ws';
import type { Access, DeviceIdentity } from '../control/access/access.js';
import { ControlError } from '../control/controlError.js';
import type { Fleet } from '../control/fleet.js';
import type { CloseReason, CutNotice, DeviceConnection, Events } from '../control/ports.js';
import type { Role } from '../control/records.js';
import { closes, type CloseName } from '../protocol/closeCodes.js';
import type { ControllerMessage } from '../protocol/messages.js';
import type { Decode, Decoded, TakenMessage, TakenOf } from './codec.js';
import type { CutTexts } from './cutTexts.js';
import { FragmentList } from './fragmentList.js';
import { FrameRate } from './frameRate.js';
import { Outbox } from './outbox.js';
import { ReadStop } from './readStop.js';
import type { SocketSettings } from './socketSettings.js';
import { welcomeOf } from './welcome.js';

/** After so many heartbeats without any frame the device is taken for dead. */
const deadAfterMisses = 3;
/** A peer that does not answer the close is cut off after this, ms. */
const closeGraceMs = 1_000;

export interface SocketPorts {
  readonly fleet: Fleet;
  readonly access: Pick<Access, 'maySpeakFor'>;
  readonly events: Events;
  readonly decode: Decode;
  readonly cutTexts: CutTexts;
  readonly nowMs: () => number;
  /** Takes a frame that may wait while decisions are behind, to give it back to `takeLate`; false: read it now. */
  readonly defer: (socket: DeviceSocket, data: Buffer) => boolean;
  readonly failed: (error: unknown, deviceId: string | null) => void;
}

export class DeviceSocket implements DeviceConnection {
  #device: { readonly id: string; readonly role: Role } | null = null;
  #isClosing = false;
  #closedWith: { readonly code: number; readonly reason: string } | null = null;
  #misses = 0;
  #endTimer: NodeJS.Timeout | null = null;
  #helloTimer: NodeJS.Timeout | null;
  readonly #outbox: Outbox;
  readonly #rate: FrameRate;
  readonly #readStop: ReadStop;

  /** Attaches its handlers at once: a frame that comes before that would be lost. */
  constructor(
    private readonly socket: WebSocket,
    private readonly identity: DeviceIdentity,
    private readonly ports: SocketPorts,
    private readonly settings: SocketSettings,
  ) {
    this.#outbox = new Outbox(socket, settings.outboxBytes, {
      overflow: () => this.#overflow(),
      superseded: () => ports.events.dropped('superseded-cut'),
    });
    this.#rate = new FrameRate(settings, performance.now());
    this.#helloTimer = setTimeout(() => this.#end('hello-timeout'), settings.helloTimeoutMs);
    this.#readStop = new ReadStop(socket);
    const fragments = new FragmentList(socket);
    socket.on('message', (data, isBinary) => {
      fragments.reuse();
      // as `#guarded`, without a closure for each frame
      try {
        this.#receive(data, isBinary);
      } catch (error) {
        this.#failed(error);
      }
    });
    socket.on('pong', () => (this.#misses = 0));
    socket.on('ping', () => (this.#misses = 0));
    socket.on('close', (code, reason) => this.#guarded(() => this.#closed(code, reason.toString())));
  }

  sendCut(notice: CutNotice): void {
    this.#outbox.sendLatest(notice.deploymentId, this.ports.cutTexts.of(notice));
  }

  sendCurrent(deploymentId: string, version: number): void {
    this.#outbox.sendLatest(deploymentId, JSON.stringify({ type: 'current', deploymentId, version }));
  }

  sendRemoved(deploymentId: string): void {
    // under the key of the cuts: it replaces one that waits, and cannot overtake it
    this.#outbox.sendLatest(deploymentId, JSON.stringify({ type: 'removed', deploymentId }));
  }

  close(reason: CloseReason): void {
    this.#end(reason);
  }

  /** The token that it came with; null where it came without one. */
  get tokenId(): string | null {
    return this.identity?.tokenId ?? null;
  }

  /** A frame that was deferred has its turn. */
  takeLate(data: Buffer, receivedAtMs: number): void {
    if (this.#isClosing) return;
    this.#guarded(() => this.#read(data, false, receivedAtMs));
  }

  /** Nothing is read of it now. */
  get isHeld(): boolean {
    return this.#readStop.isStopped;
  }

  /** Nothing that the device says is read until `release`. */
  hold(): void {
    if (this.#isClosing) return;
    this.#readStop.stop();
  }

  /** @param heldMs since `hold`; what its rate allows in that time may come at once */
  release(heldMs: number): void {
    if (this.#readStop.isStopped) this.#rate.wasHeld(heldMs, performance.now());
    this.#readStop.start();
  }

  /** Called every heartbeat. */
  beat(): void {
    if (this.#isClosing) return;
    if (this.#misses >= deadAfterMisses) {
      this.#guarded(() => this.#end('heartbeat-missed'));
      return;
    }
    // what is not read cannot be missed
    if (!this.#readStop.isStopped) this.#misses++;
    this.socket.ping();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.ports.failed(error, this.#device?.id ?? null);
    this.#end('internal-error');
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosing) return;
    this.#misses = 0;
    if (!this.#isInRate()) return;
    const bytes = toBuffer(data);
    if (this.#device !== null && !isBinary && this.ports.defer(this, bytes)) return;
    this.#read(bytes, isBinary);
  }

  #read(bytes: Buffer, isBinary: boolean, receivedAtMs?: number): void {
    const decoded = this.ports.decode(bytes, isBinary);
    if (this.#device === null) this.#greet(decoded);
    else if (decoded.ok) this.#take(this.#device.id, decoded.message, receivedAtMs);
    else this.#refuse(decoded);
  }

  /** False for a frame that is dropped because too many came before it. */
  #isInRate(): boolean {
    const verdict = this.#rate.take(performance.now());
    if (verdict === 'pass') return true;
    this.ports.events.dropped('too-fast-frame');
    if (verdict === 'close') this.#end('too-fast');
    if (verdict === 'warn') this.#warnTooFast();
    return false;
  }

  #warnTooFast(): void {
    const { framesPerSecond, frameBurst } = this.settings;
    this.ports.events.capHit('framesPerSecond', { deviceId: this.#device?.id, cap: framesPerSecond });
    const message = `More than ${frameBurst} frames at once or ${framesPerSecond} per second: what is above is dropped.`;
    this.#send({ type: 'warning', code: 'too-fast', message });
  }

  #greet(decoded: Decoded): void {
    if (!decoded.ok) {
      this.#refuse(decoded);
      this.#end(decoded.type === 'hello' ? 'hello-invalid' : 'protocol-violation');
    } else if (decoded.message.type === 'hello') {
      this.#hello(decoded.message);
    } else {
      if (decoded.message.type === 'telemetry') this.ports.events.telemetryFrame('unexpected');
      this.#answer('hello-first', 'The first message must be a hello.', { field: 'type' });
      this.#end('protocol-violation');
    }
  }

  #hello(message: TakenOf<'hello'>): void {
    const { type, deviceId, bootEpoch, running, ...description } = message;
    this.#stopHelloTimer();
    if (!this.ports.access.maySpeakFor(this.identity, deviceId)) {
      const whose =
        this.identity === null ? 'needs its token' : `is not ${this.identity.deviceId}, whose token this is`;
      this.ports.events.refused('connection', 'device-mismatch', { deviceId });
      this.#answer('device-mismatch', `Device ${deviceId} ${whose}.`, { field: 'deviceId' });
      this.#end('device-mismatch');
      return;
    }
    try {
      this.ports.fleet.connect({ deviceId, bootEpoch, description }, running ?? [], this);
    } catch (error) {
      if (!(error instanceof ControlError) || error.kind !== 'limit') throw error;
      this.#answer(error.code, error.message);
      this.#end(error.code === 'too-many-hellos' ? error.code : 'too-many-devices');
      return;
    }
    if (this.#isClosing) return;
    this.#device = { id: deviceId, role: message.role };
    this.ports.events.deviceConnected({ deviceId, role: message.role });
    this.#send(welcomeOf(this.settings, this.ports.nowMs()));
    this.#outbox.open();
  }

  #stopHelloTimer(): void {
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer);
    this.#helloTimer = null;
  }

  #take(deviceId: string, message: TakenMessage, receivedAtMs?: number): void {
    switch (message.type) {
      case 'hello':
        this.#answer('hello-again', 'A connection has one hello; connect again to change what it said.');
        this.#end('protocol-violation');
        return;
      case 'telemetry':
        this.ports.fleet.telemetry(deviceId, this, message.sequence, message, receivedAtMs);
        return;
      case 'prepared':
      case 'ack':
      case 'nack':
      case 'fallback':
      case 'measurement':
        this.#answerRefusal(this.ports.fleet.answer(deviceId, message), message);
        return;
    }
  }

  #answerRefusal(
    refusal: ReturnType<Fleet['answer']>,
    { deploymentId, version }: { readonly deploymentId: string; readonly version: number },
  ): void {
    if (refusal === null) return;
    this.ports.events.refused('frame', refusal, { deviceId: this.#device?.id });
    if (refusal === 'unknown-deployment') {
      this.#answer(refusal, `This device has no deployment ${JSON.stringify(deploymentId)}.`, {
        field: 'deploymentId',
      });
    } else {
      this.#answer(refusal, `Deployment ${deploymentId} has had no version ${version} yet.`, {
        field: 'version',
      });
    }
  }

  #refuse(decoded: Extract<Decoded, { ok: false }>): void {
    if (decoded.type === 'telemetry') this.ports.events.telemetryFrame('invalid');
    this.ports.events.refused('frame', decoded.code, { deviceId: this.#device?.id, field: decoded.field });
    const { code, message, field, sequence } = decoded;
    this.#answer(code, message, {
      ...(field === undefined ? {} : { field }),
      ...(sequence === undefined ? {} : { sequence }),
    });
  }

  #answer(code: string, message: string, more: { field?: string; sequence?: number } = {}): void {
    this.#send({ type: 'error', code, message, ...more });
  }

  #send(message: ControllerMessage): void {
    this.#outbox.sendNow(JSON.stringify(message));
  }

  #overflow(): void {
    if (this.#isClosing) return;
    this.ports.events.capHit('outboxBytes', { deviceId: this.#device?.id, cap: this.settings.outboxBytes });
    this.#end('slow-consumer');
  }

  /** From here on nothing is taken or sent; control forgets the connection at once. */
  #end(name: CloseName): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#readStop.start(); // or the end of the other side would not be seen
    const { code } = closes[name];
    this.#closedWith = { code, reason: name };
    this.socket.close(code, name);
    this.#endTimer = setTimeout(() => this.socket.terminate(), closeGraceMs);
    this.#leave();
  }

  #closed(code: number, reason: string): void {
    if (this.#endTimer !== null) clearTimeout(this.#endTimer);
    this.#isClosing = true;
    this.#closedWith ??= { code, reason };
    this.#leave();
  }

  #leave(): void {
    this.#stopHelloTimer();
    this.#outbox.close();
    const device = this.#device;
    if (device === null) return;
    this.#device = null;
    this.ports.events.deviceDisconnected({
      deviceId: device.id,
      role: device.role,
      ...(this.#closedWith ?? { code: 1006, reason: '' }),
    });
    this.ports.fleet.disconnect(device.id, this);
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
