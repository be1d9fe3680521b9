import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { load } from './measure.js';

/** What a ratio is to reach: at least, or at most. */
export interface Target {
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

/** One line of the report. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `ratio` for figures without a unit. */
  readonly unit: string;
  readonly target?: Target;
}

/** What one part of the bench measured. */
export interface Measured {
  readonly part: string;
  readonly question: string;
  readonly figures: readonly Figure[];
  /** Load of the last minute when the part began and ended. */
  readonly load: readonly [before: number, after: number];
}

/** Runs a part and notes the load around it. */
export const measured = async (
  part: string,
  question: string,
  work: () => Promise<readonly Figure[]>,
): Promise<Measured> => {
  const before = load();
  const figures = await work();
  return { part, question, figures, load: [before, load()] };
};

export const isMet = ({ value, target }: Figure): boolean | undefined =>
  target === undefined ? undefined : target.bound === 'at least' ? value >= target.value : value <= target.value;

/** Where the figures come from. */
export const machine = (folder: string): Readonly<Record<string, string | number>> => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  kernel: release(),
  fileSystem: fileSystemOf(folder),
  load: load(),
});

const fileSystemOf = (folder: string): string => {
  try {
    const [, line = ''] = execFileSync('df', ['-PT', folder], { encoding: 'utf8' }).split('\n');
    return line.split(/\s+/)[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
};

export const table = (results: readonly Measured[]): string =>
  results
    .flatMap(({ part, question, figures, load: [before, after] }) => [
      '',
      `${part}  ${question}  (load ${before} → ${after})`,
      ...figures.map((figure) => {
        const { name, target } = figure;
        const met = isMet(figure);
        const goal =
          target === undefined ? '' : `  ${target.bound} ${target.value}  ${met === true ? 'reached' : 'NOT REACHED'}`;
        return `    ${name.padEnd(62)} ${shown(figure).padStart(16)}${goal}`;
      }),
    ])
    .join('\n');

const shown = ({ value, unit }: Figure): string => {
  const digits = value >= 1000 ? 0 : value >= 10 ? 1 : 3;
  return `${value.toFixed(digits)} ${unit === 'ratio' ? '     ' : unit.padEnd(5)}`;
};
