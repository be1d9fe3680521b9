import { Opened } from './opened.js';

const part = (name: string, closed: string[]) => ({
  close: () => {
    closed.push(name);
  },
});

test('what was opened is closed last first, each once', async () => {
  const closed: string[] = [];
  const opened = new Opened();
  opened.add(part('log', closed));
  await opened.open(async () => part('bus', closed));
  await opened.close();
  await opened.close();
  expect(closed).toEqual(['bus', 'log']);
});

test('closing waits for what is still being opened, closes it too, and lets nothing more be opened', async () => {
  const closed: string[] = [];
  const opened = new Opened();
  opened.add(part('log', closed));
  let stands: (() => void) | undefined;
  const opening = opened.open(async () => {
    await new Promise<void>((resolve) => (stands = resolve));
    return part('service', closed);
  });
  const failing = opened.open(() => Promise.reject(new Error('no such server')));
  await expect(failing).rejects.toThrow('no such server');
  const closing = opened.close();
  await expect(opened.open(async () => part('late', closed))).rejects.toThrow('being stopped');
  expect(closed).toEqual([]);
  stands?.();
  await Promise.all([closing, opening]);
  expect(closed).toEqual(['service', 'log']);
});
