// Stands in for the event store's program where only its life matters: it listens, says so, and ends on SIGTERM.
import { createServer } from 'node:net';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const server = createServer((socket) => socket.end('tiny\n'));
server.listen(port, '127.0.0.1', () => {
  console.log(`event store listening on esdb://127.0.0.1:${port}?tls=false`);
});
process.on('SIGTERM', () => process.exit(0));
