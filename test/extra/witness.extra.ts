import { randomInt } from 'node:crypto';
import {
  CompactRange,
  formatAddCheckpoint,
  leafHash,
  NoteSigner,
  openCheckpoint,
  signCheckpoint,
  consistencyProof,
  type TreeNodes,
  nodeHash,
  VerifierKey,
} from '#tlog';
import { temporaryFolder } from '../support/app.js';
import type { Program, ServerProcess } from '../support/program.js';
import { buildProgram, runScript, startScript } from '../support/program.js';

/** The witness as a program: killed with SIGKILL while a log asks it, it never forgets what it answered. */
const KILLS = 8;
const MAIN = 'apps/witness/main.js';
const LEAVES = 4_096;

describe('a witness that is killed', () => {
  const folder = temporaryFolder();
  const log = NoteSigner.generate('log.example/commitments');
  const environment = {
    WITNESS_DATA: folder.path,
    WITNESS_NAME: 'witness.example/w1',
    WITNESS_LOGS: log.verifier.toString(),
    WITNESS_RATE: 'off',
  };
  let program: Program;
  beforeAll(() => {
    program = buildProgram();
  });
  afterAll(() => {
    program.remove();
    folder.remove();
  });

  const leaves = Array.from({ length: LEAVES }, (_, at) => leafHash(Buffer.from(`entry ${at}`)));
  const levels = [leaves];
  for (let below = leaves; below.length > 1;) {
    below = Array.from({ length: below.length / 2 }, (_, at) => nodeHash(below[2 * at]!, below[2 * at + 1]!));
    levels.push(below);
  }
  const tree: TreeNodes = { node: (level, index) => levels[level]![index]! };
  const note = (size: number): string => signCheckpoint(log, size, CompactRange.of(tree, size).root());
  const ask = async ({ url }: ServerProcess, old: number, size: number): Promise<{ status: number; body: string }> => {
    const body = formatAddCheckpoint({ old, proof: consistencyProof(tree, old, size), checkpoint: note(size) });
    const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
    return { status: answer.status, body: await answer.text() };
  };

  it('goes on from the last checkpoint it answered, or the one whose answer was lost, under the same key', async () => {
    const keys = new Set<string>();
    let size = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await startScript(program, MAIN, environment);
      keys.add(await (await fetch(`${server.url}/verifier-key`)).text());
      const key = VerifierKey.parse([...keys][0]!.trimEnd());
      const known = await ask(server, LEAVES, LEAVES);
      expect(known.status).toBe(409);
      // The question under way when it was killed may have been kept, and nothing but that.
      expect([size, size + 1]).toContain(Number(known.body));
      size = Number(known.body);
      setTimeout(() => void server.kill('SIGKILL'), randomInt(50, 400));
      try {
        for (;;) {
          const { status, body } = await ask(server, size, size + 1);
          expect(status).toBe(200);
          openCheckpoint(Buffer.from(`${note(size + 1)}${body}`), log.verifier.name, [key]);
          size += 1;
        }
      } catch (error) {
        expect((error as Error).name).toBe('TypeError');
      }
      await server.ended;
    }
    expect(size).toBeGreaterThan(KILLS);
    expect(keys.size).toBe(1);
  });

  it('ends with code 0 where it is told to, and says what it lacks with code 78', async () => {
    const server = await startScript(program, MAIN, environment);
    expect((await server.kill('SIGTERM')).code).toBe(0);
    const lacking = await runScript(program, MAIN, [], { ...environment, WITNESS_LOGS: '' });
    expect([lacking.code, lacking.stderr]).toEqual([78, expect.stringContaining('set either WITNESS_LOGS')]);
  });
});
