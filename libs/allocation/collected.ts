import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { canonicalText, VALUE_UNIT } from './canonical-model.js';
import type { CertificateSeal } from './certificate.js';
import { CERTIFICATE_CHUNK } from './certificate.js';
import { unservedLine } from './explanations.js';
import { fairnessOf } from './fairness.js';
import type { Finding, PartFinding } from './findings.js';
import type { Answer, Conflict, EqualShare, Fairness, Outcome, Pair, Price, Progress, Unmet } from './outcome.js';
import type { Problem } from './problem.js';
import { decimalOf } from './words.js';

type Divided = Extract<Finding, { readonly kind: 'divided' }>;

/** Findings of a run put together, at any moment of it. */
export class Collected {
  private divided: Divided | undefined;
  private readonly pairs: Pair[] = [];
  private readonly unmet: Unmet[] = [];
  private readonly prices: Price[] = [];
  private readonly certificate: string[] = [];
  /** Of the part that is being told. */
  private waiting: { pairs: Pair[]; unmet: Unmet[]; prices: Price[]; certificate: string[] } = nothing();
  /** Of every line told so far, and of those of whole parts. */
  private hashing: Hash = createHash('sha256');
  private hashed: Hash = createHash('sha256');
  private readonly solved: number[] = [];
  private readonly shares: EqualShare[] = [];
  private readonly notes: string[] = [];
  private readonly ended: NonNullable<PartFinding['ended']>[] = [];
  private fairness: Fairness | undefined;
  private parts = 0;
  private certified = 0;
  private arcs = 0;
  private objective = 0n;
  private bound = 0n;
  private failed: string | undefined;

  constructor(private readonly problem: Problem) {}

  take(finding: Finding): void {
    switch (finding.kind) {
      case 'divided':
        this.divided = finding;
        return;
      case 'certificate':
        this.waiting.certificate.push(finding.text);
        this.hashing.update(finding.text);
        return;
      case 'pairs':
        finding.pairs.forEach((pair, place) => {
          const because = this.problem.arcs[finding.arcs[place] ?? -1]?.because ?? '';
          this.waiting.pairs.push(because === '' ? pair : { ...pair, because: `${because}; ${pair.because}` });
        });
        return;
      case 'unmet':
        this.waiting.unmet.push(...finding.unmet);
        return;
      case 'prices':
        this.waiting.prices.push(...finding.prices);
        return;
      case 'part':
        this.takePart(finding);
        return;
      case 'fairness':
        this.fairness = finding.fairness;
        return;
      case 'failed':
        this.failed = finding.because;
        return;
      case 'end':
    }
  }

  get progress(): Progress | undefined {
    if (this.divided === undefined) return undefined;
    return { parts: this.parts, ofParts: this.divided.parts, arcs: this.arcs, ofArcs: this.divided.arcs };
  }

  /** The outcome of a run that looked at every part, or failed. */
  outcome(): Outcome {
    const failed = this.failed ?? this.ended.find(({ status }) => status === 'failed')?.because;
    if (failed !== undefined) return { status: 'failed', because: failed, answer: this.answer() };
    const answer = this.answer();
    if (answer === undefined) return { status: 'failed', because: 'the run told nothing', answer };
    const conflicts: (readonly Conflict[])[] = this.ended.flatMap((end) =>
      end.status === 'infeasible' ? [end.conflict] : [],
    );
    if (conflicts.length > 0) {
      const because = this.ended
        .filter(({ status }) => status === 'infeasible')
        .map((end) => end.because)
        .join('; ');
      return { status: 'infeasible', because, conflicts, answer };
    }
    const [limit] = this.ended;
    return limit === undefined ? { status: 'done', answer } : { status: 'limit', because: limit.because, answer };
  }

  /** What is known so far, with a certificate of it; undefined before the problem was divided. */
  answer(): Answer | undefined {
    if (this.divided === undefined) return undefined;
    const { leftOut, floors, notes } = this.divided;
    const seal: CertificateSeal = {
      record: 'seal',
      parts: this.certified,
      objective: String(this.objective),
      bound: String(this.bound),
      gap: String(this.bound - this.objective),
      sha256: this.hashed.copy().digest('hex'),
    };
    const sealed = `${canonicalText(seal)}\n`;
    return {
      pairs: this.pairs,
      unmet: [...this.unmet, ...this.notReached()],
      prices: this.prices,
      fairness: this.fairness ?? fairnessOf(this.problem, this.pairs, this.solved, this.shares),
      leftOut,
      floors,
      notes: [...notes, ...this.notes],
      value: decimalOf(this.objective, VALUE_UNIT, VALUE_PLACES),
      bound: decimalOf(this.bound, VALUE_UNIT, VALUE_PLACES),
      certificate: [...this.certificate, sealed],
      certificateSha256: this.hashed.copy().update(sealed).digest('hex'),
    };
  }

  private takePart({ part, arcs, solved, objective, bound, share, ended, note }: PartFinding): void {
    const { pairs, unmet, prices, certificate } = this.waiting;
    this.waiting = nothing();
    for (const pair of pairs) this.pairs.push(pair);
    for (const line of unmet) this.unmet.push(line);
    for (const price of prices) this.prices.push(price);
    for (const text of certificate) this.keep(text);
    for (const need of solved) this.solved.push(need);
    this.hashed = this.hashing.copy();
    if (part >= 0) {
      this.parts += 1;
      if (certificate.length > 0) this.certified += 1;
    }
    this.arcs += arcs;
    this.objective += objective;
    this.bound += bound;
    if (share !== undefined) this.shares.push(share);
    if (ended !== undefined) this.ended.push(ended);
    if (note !== undefined) this.notes.push(note);
  }

  /** Small pieces go together: a run may have thousands of parts. */
  private keep(text: string): void {
    const last = this.certificate.at(-1);
    if (last !== undefined && last.length + text.length <= CERTIFICATE_CHUNK)
      this.certificate[this.certificate.length - 1] = last + text;
    else this.certificate.push(text);
  }

  private notReached(): readonly Unmet[] {
    if (this.divided === undefined || this.parts === this.divided.parts) return [];
    const told = new Set([...this.solved.map((need) => need)]);
    const named = new Set(this.unmet.map(({ needId, needLine }) => `${needId} ${needLine}`));
    return this.problem.needs.flatMap(({ needId, line, outstanding }, need) =>
      outstanding === 0n || told.has(need) || named.has(`${needId} ${line}`)
        ? []
        : [unservedLine(this.problem, need, new Map(), 'not-reached')],
    );
  }
}

/** Decimals of values in answers; the certificate has all of them. */
const VALUE_PLACES = 9;

const nothing = (): { pairs: Pair[]; unmet: Unmet[]; prices: Price[]; certificate: string[] } => ({
  pairs: [],
  unmet: [],
  prices: [],
  certificate: [],
});
