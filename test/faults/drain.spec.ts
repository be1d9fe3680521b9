import { connect } from 'node:net';
import { Agent, get } from 'node:http';
import { once } from 'node:events';
import { testApp } from '../support/app.js';

test('a stop waits neither for connections that are silent or become idle while it stops, nor for streams', async () => {
  const app = await testApp();
  const { port } = new URL(app.url);
  // As a browser does in case it may need it: a connection without a request.
  const silent = connect(Number(port), '127.0.0.1');
  await once(silent, 'connect');
  const agent = new Agent({ keepAlive: true });
  const request = get(`${app.url}/readyz`, { agent });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  response.resume();
  const authorization = `Bearer ${await app.token({ party: 'state:VUT', roles: ['npc'] })}`;
  const stream = await fetch(`${app.url}/v1/matches/feed`, { headers: { authorization, accept: 'text/event-stream' } });
  expect(stream.status).toBe(200);
  const begun = performance.now();
  await app.close();
  // Whoever is waited for gets the eight seconds of a request under way, whole.
  expect(performance.now() - begun).toBeLessThan(7_500);
  // A gateway cuts it short; a service ends it.
  await stream.text().catch(() => '');
  agent.destroy();
  silent.destroy();
});
