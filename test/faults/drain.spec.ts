import { connect } from 'node:net';
import { Agent, get } from 'node:http';
import { once } from 'node:events';
import { probeContext } from '../contract/probe.js';
import { testApp } from '../support/app.js';

test('a stop waits neither for connections that are silent nor for those that became idle while it stopped', async () => {
  const app = await testApp({ contexts: [probeContext] });
  const { port } = new URL(app.url);
  // As a browser does in case it may need it: a connection without a request.
  const silent = connect(Number(port), '127.0.0.1');
  await once(silent, 'connect');
  const agent = new Agent({ keepAlive: true });
  const request = get(`${app.url}/readyz`, { agent });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  response.resume();
  const begun = performance.now();
  await app.close();
  // Whoever is waited for gets the eight seconds of a request under way, whole.
  expect(performance.now() - begun).toBeLessThan(7_500);
  agent.destroy();
  silent.destroy();
});
