import { RouteMethods } from './route-methods.js';

describe('the methods of an address', () => {
  const routes = new RouteMethods();
  const patterns = { '/': 'GET', '/notes': 'GET', '/notes/:id': 'GET', '/notes/new': 'POST', '/tile/:level/*': 'GET' };
  for (const [pattern, method] of Object.entries(patterns)) routes.add(pattern, method);
  routes.add('/notes', 'POST');

  test.each([
    ['/', 'GET OPTIONS'],
    ['/notes', 'GET OPTIONS POST'],
    ['/n%6Ftes', 'GET OPTIONS POST'],
    ['/notes/1', 'GET OPTIONS'],
    ['/notes/a%2Fb', 'GET OPTIONS'],
    ['/notes/%zz', 'GET OPTIONS'],
    // What several patterns have, the address has.
    ['/notes/new', 'GET OPTIONS POST'],
    ['/tile/0/x001/067.p/3', 'GET OPTIONS'],
    ['/notes/', ''],
    ['/notes/1/', ''],
    ['/Notes', ''],
    ['/tile/0', ''],
    ['//', ''],
    ['*', ''],
    ['', ''],
  ])('%s: %s', (path, methods) => {
    expect(routes.at(path).join(' ')).toBe(methods);
  });
});
