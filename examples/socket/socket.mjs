/**
 * A WebSocket client for the terminal: prints what arrives, sends each line that is typed.
 *
 *   node examples/socket/socket.mjs ws://127.0.0.1:4000/ws/1
 */
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [url = 'ws://127.0.0.1:4000/ws/1', ...subprotocols] = process.argv.slice(2);
const socket = new WebSocket(url, subprotocols);
const lines = createInterface({ input: process.stdin });

socket.on('open', () => {
  console.log(`connected to ${url}`);
  lines.on('line', (line) => socket.send(line));
  lines.on('close', () => socket.close(1000));
});
socket.on('message', (data) => console.log(data.toString()));
socket.on('error', (error) => console.error(error.message));
socket.on('close', (code, reason) => {
  console.log(`closed (${code}${reason.length > 0 ? `: ${reason}` : ''})`);
  process.exit(code === 1000 ? 0 : 1);
});
