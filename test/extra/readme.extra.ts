import type { ChildProcessByStdio } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A fenced block of the README: its language, what follows the language, its text. */
interface Block {
  readonly language: string;
  readonly role: string;
  readonly text: string;
}

const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w+) ?(\w*)\n(.*?)^```$/gms)].map(([, language = '', role = '', text = '']) => ({
    language,
    role,
    text,
  }));

const MARK = '----- end of block -----';

describe('the README', () => {
  const blocks = blocksOf(readFileSync('README.md', 'utf8'));
  let data: string;
  let port: string;
  let service: ChildProcessByStdio<null, Readable, null>;

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'pledgebook-readme-'));
    const start =
      blocks
        .find(({ role }) => role === 'start')
        ?.text.trim()
        .split('\n')
        .at(-1) ?? '';
    service = spawn('bash', ['-c', `exec ${start}`], {
      env: { ...process.env, PORT: '0', PLEDGEBOOK_DATA: data, PLEDGEBOOK_LOG: 'warn' },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    port = await new Promise<string>((resolve, reject) => {
      createInterface({ input: service.stdout }).on('line', (line) => {
        const url = /ready on (http:\S+)/.exec(line)?.[1];
        if (url !== undefined) resolve(new URL(url).port);
      });
      service.once('exit', (code) => {
        reject(new Error(`npm start ended with ${code}`));
      });
    });
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => service.once('exit', resolve));
    // The whole group: npm, its shell and the service.
    if (service.pid !== undefined) process.kill(-service.pid, 'SIGTERM');
    await ended;
    rmSync(data, { recursive: true, force: true });
  });

  it('shows what its commands print', async () => {
    const commands = blocks.filter(({ language, role }) => language === 'sh' && role === '');
    expect(commands.length).toBeGreaterThan(5);
    const script = commands.map(({ text }) => `${text}\necho '${MARK}'`).join('\n');
    const output = await new Promise<string>((resolve, reject) => {
      execFile(
        'bash',
        ['-euo', 'pipefail', '-c', script.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)],
        { env: { ...process.env, PORT: port, PLEDGEBOOK_DATA: data }, timeout: 540_000 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
        },
      );
    });
    const printed = output.replaceAll(`127.0.0.1:${port}`, '127.0.0.1:3000').split(`${MARK}\n`);
    const shown: [string, string][] = [];
    let command = -1;
    for (const [index, { language, role, text }] of blocks.entries()) {
      if (language === 'sh' && role === '') command += 1;
      if (language === 'text' && blocks[index - 1]?.language === 'sh') shown.push([printed[command] ?? '', text]);
    }
    expect(shown.map(([real]) => real)).toEqual(shown.map(([, documented]) => documented));
  });
});
