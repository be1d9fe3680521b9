import { temporaryFolder } from '../support/app.js';
import type { Ended, Program, ServerProcess } from '../support/program.js';
import { buildProgram, runScript, startServer } from '../support/program.js';
import { Client, COORDINATOR, OPERATOR, Tokens } from './client.js';

/** `npm run admin -- …` as an operator runs it, against a real server. */
let program: Program;
let server: ServerProcess;
const folder = temporaryFolder();

beforeAll(async () => {
  program = buildProgram();
  server = await startServer(program, folder.path);
});
afterAll(async () => {
  await server.kill('SIGTERM');
  program.remove();
  folder.remove();
});

const admin = (parameters: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runScript(program, 'infra/admin.js', parameters, {
    PORT: server.port,
    PLEDGEBOOK_DATA: folder.path,
    ...environment,
  });

test('says how it is used, and that it was used otherwise', async () => {
  expect(await admin(['--help'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/rotate-keys/) });
  for (const parameters of [[], ['explode'], ['rebuild'], ['projections', 'need-board'], ['toString']]) {
    expect(await admin(parameters)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/npm run admin/),
    });
  }
});

test('says which server it did not find, or which does not know its token', async () => {
  const absent = await admin(['projections'], { PORT: '1' });
  expect(absent).toMatchObject({ code: 3, stderr: expect.stringMatching(/^no Pledgebook server answers.*set PORT/) });
  const elsewhere = temporaryFolder();
  const stranger = await admin(['projections'], { PLEDGEBOOK_DATA: elsewhere.path });
  elsewhere.remove();
  expect(stranger).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/does not accept this token.*PLEDGEBOOK_DATA/),
  });
  const coordinator = await new Tokens(folder.path).of(COORDINATOR);
  expect(await admin(['projections'], { PLEDGEBOOK_TOKEN: coordinator })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is for operator/),
  });
});

test('shows how projections and processes stand, and rebuilds one', async () => {
  const { code, stdout } = await admin(['projections']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^need-board v\d+: current at 0, 0 behind$/m);
  expect(await admin(['processes'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^capacity-holding: at 0, 0 behind, 0 stuck$/m),
  });
  expect(await admin(['rebuild', 'need-board'])).toMatchObject({
    code: 0,
    stdout: 'need-board was rebuilt and serves at 0\n',
  });
  expect(await admin(['rebuild', 'nothing'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/no such name/) });
  expect(await admin(['release', 'need-board'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/not parked/),
  });
});

test('rotates the keys: tokens from before and after work', async () => {
  const before = new Tokens(folder.path);
  const client = new Client(server.url, before);
  expect((await client.get('/v1/admin/projections', OPERATOR)).status).toBe(200);
  const { code, stdout } = await admin(['rotate-keys']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^local-issuer: a new key is in use.*\nseals: a new key is in use/);
  expect((await client.get('/v1/admin/projections', OPERATOR)).status).toBe(200);
  expect((await new Client(server.url, new Tokens(folder.path)).get('/v1/admin/projections', OPERATOR)).status).toBe(
    200,
  );
});
