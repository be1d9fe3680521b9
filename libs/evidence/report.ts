import { TlogRefusal } from '#tlog';

/**
 * What came of one check. `proved`; `open`: no bundle can prove it, and what stands in its place; `doubt`: it could have been proved
 * with something that was not given; `refused`: it is false.
 */
export interface Finding {
  readonly kind: 'proved' | 'open' | 'doubt' | 'refused';
  readonly text: string;
  /** The file at fault. */
  readonly file?: string;
}

/** `verified`: everything that can be proved is. `in doubt`: nothing is false, something that could be proved is not. */
export type Verdict = 'verified' | 'in doubt' | 'refused';

/** Gathers what checks found, in order. The first refusal ends it: whatever rests on a false thing proves nothing. */
export class Report {
  readonly findings: Finding[] = [];

  get verdict(): Verdict {
    if (this.findings.some(({ kind }) => kind === 'refused')) return 'refused';
    return this.findings.some(({ kind }) => kind === 'doubt') ? 'in doubt' : 'verified';
  }

  proved(text: string): void {
    this.findings.push({ kind: 'proved', text });
  }

  open(text: string): void {
    this.findings.push({ kind: 'open', text });
  }

  doubt(text: string): void {
    this.findings.push({ kind: 'doubt', text });
  }

  refused(reason: string, file?: string): void {
    this.findings.push({ kind: 'refused', text: reason, ...(file === undefined ? {} : { file }) });
  }
}

/** Something is false, in this file. */
export class Refusal extends TlogRefusal {
  constructor(
    reason: string,
    readonly file: string,
  ) {
    super(reason);
  }
}

/** What `check` answers; a refusal of the formats gets the file it is about. @throws {Refusal} */
export const about = <T>(file: string, check: () => T): T => {
  try {
    return check();
  } catch (error) {
    throw error instanceof TlogRefusal && !(error instanceof Refusal) ? new Refusal(error.message, file) : error;
  }
};

const WORDS: Readonly<Record<Finding['kind'], string>> = {
  proved: 'proved',
  open: 'not proved',
  doubt: 'in doubt',
  refused: 'refused',
};

/** What was found, a line a check and the verdict last. Whatever came out of files is shown, never obeyed, by a terminal. */
export const linesOf = (report: Report, subject: string): string[] => [
  ...report.findings.map(({ kind, text, file = '' }) =>
    shown(`${WORDS[kind]}: ${file === '' ? '' : `${file}: `}${text}`),
  ),
  shown(`${subject}: ${report.verdict}`),
];

const LONGEST_LINE = 1_000;

const shown = (line: string): string => {
  const plain = line.replace(/\p{C}/gu, '�');
  return plain.length > LONGEST_LINE ? `${plain.slice(0, LONGEST_LINE)} …` : plain;
};
