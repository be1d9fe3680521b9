import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type * as Load from '../bench/load.js';

/** Built, as these tests are run after a build: it starts itself as a program. */
const BUILT = join(import.meta.dirname, '../../dist/test/bench/load.js');
const LATE_MS = 1_500;

test('a load generator whose time passed before anybody was answered goes on until somebody is', async () => {
  const { LoadGenerator } = (await import(BUILT)) as typeof Load;
  const server = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.end('{}'), LATE_MS);
  });
  await new Promise<void>((listening) => {
    server.listen(0, listening);
  });
  const generator = new LoadGenerator();
  try {
    const { port } = server.address() as AddressInfo;
    const order = { url: `http://127.0.0.1:${port}`, path: '/', token: 'none', bodies: ['{}'], connections: 3 };
    const { answered, failed } = await generator.run({ ...order, seconds: 1 });
    expect(answered).toBeGreaterThanOrEqual(3);
    expect(failed).toBe(0);
  } finally {
    generator.stop();
    server.closeAllConnections();
    server.close();
  }
});
