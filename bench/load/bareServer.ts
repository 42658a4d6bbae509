/** The ceiling: a WebSocket server that parses each frame and answers it, and nothing else. A process of its own. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { answerCalls } from './remote.js';
import { processFigures } from './processFigures.js';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
let frames = 0;

server.on('connection', (socket) => {
  socket.on('message', (data) => {
    // text frames arrive as one Buffer with the default binary type
    const { sequence } = JSON.parse((data as Buffer).toString('utf8')) as { readonly sequence?: number };
    frames++;
    socket.send(JSON.stringify({ type: 'taken', sequence }));
  });
});
const listening = new Promise<number>((resolve) => {
  server.once('listening', () => resolve((server.address() as AddressInfo).port));
});

answerCalls({
  port: () => listening,
  served: () => frames,
  figures: processFigures,
});
process.once('disconnect', () => process.exit(0));
