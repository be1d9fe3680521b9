import type { Answer, Client, Intent, RecordView, Who } from './client.js';
import {
  COORDINATOR,
  DisconnectedError,
  DONORS,
  FUND,
  intent,
  needBody,
  offerBody,
  seats,
  STATES,
  usd,
  uses,
} from './client.js';
import type { Random } from './random.js';

/** A request that was answered: what the answer promised must hold for ever. */
export interface Acknowledged {
  readonly intent: Intent;
  readonly answer: Answer;
  /** Where the record is. */
  readonly record: string;
}

/** A record as its last answer showed it. */
interface Known {
  readonly path: string;
  readonly owner: Who;
  view: RecordView;
}

interface LegView {
  readonly leg: number;
  readonly offerLine: number;
  readonly needLine: number;
  readonly drawn: { readonly measure: string; readonly amount: string };
}
/** A commitment's view, as far as the load looks. */
interface Deal {
  readonly donor: string;
  readonly state: string;
  readonly proposedBy: string;
  readonly needId: string;
  readonly legs: readonly LegView[];
  readonly deliveries: readonly {
    readonly n: number;
    readonly leg: number;
    readonly quantity: Amount;
    readonly status: string;
  }[];
  readonly transfers: readonly { readonly n: number; readonly amount: Amount }[];
  readonly receipts: readonly { readonly transfer: number }[];
  readonly amendments?: readonly { readonly status: string; readonly side: string }[];
}
interface Amount {
  readonly amount: string;
}

const REASON = { reason: { code: 'timing' } };
const DATE = '2026-11-20';
const BOOK = `/v1/funds/${FUND.party}`;
const LINES = [seats, usd, uses];
const LIVE = ['proposed', 'accepted', 'binding', 'delivered', 'confirmed'];
/** So many live commitments are carried on before another is proposed. */
const MANY = 20;
const MEASURES = ['seats', 'money', 'access'];

/** A line of seats, one of money and one of access. */
const threeLines = (body: object, field: 'capacity' | 'quantity', amount: number): object => {
  const [line] = (body as { readonly lines: readonly object[] }).lines;
  return { ...body, lines: LINES.map((of) => ({ ...line, [field]: of(amount) })) };
};

/** Mixed traffic of several callers at once, that remembers what it was promised. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** Sent with a key, and the connection broke before an answer. */
  unanswered: Intent[] = [];
  /** What was done at least once: last parts of paths, and what some commitments came to. */
  readonly reached = new Set<string>();
  private readonly needs: Known[] = [];
  private readonly offers: Known[] = [];
  private readonly commitments: Known[] = [];
  private readonly contributions: Known[] = [];
  private readonly funds: Known[] = [];

  constructor(private readonly random: Random) {}

  /** Sends requests, several at a time, until the connection breaks or `signal` says stop. */
  async run(client: Client, callers: number, signal: AbortSignal): Promise<void> {
    const caller = async (): Promise<void> => {
      while (!signal.aborted) if (!(await this.step(client))) return;
    };
    await Promise.all(Array.from({ length: callers }, caller));
  }

  /** Sends again, with the same keys, what was never answered. */
  async repeatUnanswered(client: Client): Promise<void> {
    const again = this.unanswered;
    this.unanswered = [];
    for (const one of again) await this.send(client, one);
  }

  /** False once the server is gone. */
  private async step(client: Client): Promise<boolean> {
    try {
      const next = await this.choose(client);
      return next === undefined || (await this.send(client, next));
    } catch (error) {
      if (error instanceof DisconnectedError) return false;
      throw error;
    }
  }

  private async send(client: Client, request: Intent): Promise<boolean> {
    let answer: Answer;
    try {
      answer = await client.post(request);
    } catch (error) {
      if (!(error instanceof DisconnectedError)) throw error;
      if ('idempotency-key' in request.headers) this.unanswered.push(request);
      return false;
    }
    // Told to come again: nothing was promised.
    if (answer.status === 503) return true;
    if (answer.status >= 500)
      throw new Error(`${request.path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    // A refusal with a Location was recorded: it too must still be there.
    const record = answer.location ?? (answer.status < 300 ? this.recordOf(request.path) : undefined);
    if (record === undefined) return true;
    this.acknowledged.push({ intent: request, answer, record });
    if (answer.status === 409 && request.path === '/v1/commitments') this.reached.add('a refused proposal');
    if (answer.status < 300) {
      this.reached.add(request.path.slice(request.path.lastIndexOf('/') + 1));
      this.remember(record, request.who, answer.body);
    }
    return true;
  }

  private recordOf(path: string): string {
    return path.split('/').slice(0, 4).join('/');
  }

  private remember(path: string, who: Who, view: RecordView): void {
    const lists: Readonly<Record<string, Known[]>> = {
      needs: this.needs,
      offers: this.offers,
      contributions: this.contributions,
      funds: this.funds,
    };
    const list = lists[path.split('/')[2] ?? ''] ?? this.commitments;
    if (list === this.commitments) {
      const { donor, legs } = view as unknown as Deal;
      const draws = (measure: string): boolean => legs.some(({ drawn }) => drawn.measure === measure);
      if (view.status === 'confirmed' && draws('access')) this.reached.add('confirmed access');
      if (view.status === 'binding' && donor === FUND.party && draws('money')) this.reached.add('a grant of the fund');
    }
    const known = list.find((one) => one.path === path);
    if (known === undefined) list.push({ path, owner: who, view });
    else if (view.revision > known.view.revision) known.view = view;
  }

  private request(who: Who, path: string, body: object, headers: Record<string, string> = {}): Intent {
    const made = intent(who, path, body, headers);
    return this.random.chance(0.8) ? { ...made, headers: { ...headers, 'idempotency-key': made.id } } : made;
  }

  /** What to do next; undefined where the chosen record has nothing to be done with. */
  private async choose(client: Client): Promise<Intent | undefined> {
    const { random } = this;
    const open = this.needs.filter(({ view }) => view.status === 'open');
    const offers = this.offers.filter(({ view }) => view.status === 'open');
    const draw = random.next();
    if (offers.length === 0 || draw < 0.06) {
      const body = threeLines(offerBody('Courses', 1), 'capacity', random.between(4, 20));
      return this.request(random.pick([...DONORS, FUND]), '/v1/offers', body);
    }
    if (open.length === 0 || draw < 0.3) return this.towardsOpenNeed();
    if (draw < 0.31) return this.command(random.pick(offers), 'withdraw', REASON);
    if (draw < 0.32) return this.command(random.pick(open), 'withdraw', REASON);
    if (draw > 0.95) return this.inFund(client, random.pick(open).view.id);
    const live = this.commitments.filter(({ view }) => LIVE.includes(view.status));
    const ended = this.commitments.filter(({ view }) => view.status === 'closed' || view.status === 'cancelled');
    if (ended.length > 0 && draw < 0.35) return this.onCommitment(client, random.pick(ended));
    if (live.length > 0 && (draw < 0.8 || live.length > MANY)) return this.onCommitment(client, random.pick(live));
    const [offer, need] = [random.pick(offers), random.pick(open)];
    // Some ask for more than any offer has room for: refusals are wanted too.
    const amount = random.chance(0.08) ? 40 : random.between(1, 4);
    const legs = random.pick([[0], [0], [1], [0, 1], [2]]).map((line) => this.leg(line, amount));
    const proposal = { offerId: offer.view.id, needId: need.view.id, legs };
    const prefer: Record<string, string> = random.chance(0.5) ? { prefer: 'wait=5' } : {};
    return this.request(random.chance(0.7) ? offer.owner : need.owner, '/v1/commitments', proposal, prefer);
  }

  private towardsOpenNeed(): Intent {
    const { random } = this;
    const waiting = this.needs.filter(({ view }) => view.status === 'draft' || view.status === 'submitted');
    if (waiting.length < 2 || random.chance(0.3)) {
      const body = threeLines(needBody('Officers to be trained', 1), 'quantity', random.between(3, 12));
      return this.request(random.pick(STATES), '/v1/needs', body);
    }
    const need = random.pick(waiting);
    if (need.view.status === 'submitted') return this.command(need, 'open', {}, COORDINATOR);
    return this.command(need, 'submit', { consent: { circulate: true, publish: true } });
  }

  private command({ path, owner, view }: Known, command: string, body: object, who: Who = owner): Intent {
    const prefer: Record<string, string> = command === 'accept' && this.random.chance(0.5) ? { prefer: 'wait=5' } : {};
    return this.request(who, `${path}/${command}`, body, { 'if-match': `"${view.revision}"`, ...prefer });
  }

  private async onCommitment(client: Client, known: Known): Promise<Intent | undefined> {
    const { random } = this;
    const { status, body: view } = await client.get(known.path, known.owner);
    if (status !== 200) return undefined;
    known.view = view;
    const deal = view as unknown as Deal;
    const donor: Who = { party: deal.donor, role: 'donor-desk' };
    const state: Who = { party: `state:${deal.state}`, role: 'npc' };
    const [proposer, other] = deal.proposedBy === donor.party ? [donor, state] : [state, donor];
    switch (view.status) {
      case 'proposed':
        if (random.chance(0.1)) return this.command(known, 'withdraw', REASON, proposer);
        if (random.chance(0.1)) return this.command(known, 'decline', REASON, other);
        return this.command(known, 'accept', {}, other);
      case 'accepted':
        if (random.chance(0.05)) return this.command(known, 'withdraw', REASON, proposer);
        if (random.chance(0.15)) return this.amendment(known, deal, donor, state);
        if (donor.party === FUND.party && random.chance(0.3)) return this.inFund(client, deal.needId);
        return this.command(known, 'sign', {}, random.pick([donor, state]));
      case 'binding':
        if (random.chance(0.06)) return this.command(known, 'cancel', REASON, random.pick([donor, state]));
        if (random.chance(0.2)) return this.amendment(known, deal, donor, state);
        if (random.chance(0.2)) return this.money(known, deal, donor, state);
        return random.chance(0.3) ? this.answer(known, deal, donor, state) : this.delivery(known, deal, donor);
      case 'delivered':
        if (random.chance(0.15)) return this.money(known, deal, donor, state);
        return this.answer(known, deal, donor, state);
      case 'confirmed':
        if (random.chance(0.3)) return this.command(known, 'close', {}, COORDINATOR);
        return random.chance(0.5) ? this.money(known, deal, donor, state) : this.sentBack(known, deal, state);
      case 'closed':
      case 'cancelled':
        return random.chance(0.5) ? this.money(known, deal, donor, state) : this.sentBack(known, deal, state);
      default:
        return undefined;
    }
  }

  private leg(line: number, amount = this.random.between(1, 4)): object {
    return { offerLine: line + 1, needLine: line + 1, drawn: LINES[line]?.(amount) };
  }

  private delivery({ path }: Known, { legs }: Deal, donor: Who): Intent {
    const { leg, drawn } = this.random.pick(legs);
    const quantity = LINES[MEASURES.indexOf(drawn.measure)]?.(this.random.between(1, Number(drawn.amount)));
    return this.request(donor, `${path}/deliveries`, { leg, quantity, date: DATE });
  }

  /** What is said of a tranche that was reported. */
  private answer(known: Known, deal: Deal, donor: Who, state: Who): Intent | undefined {
    const draw = this.random.next();
    const fresh = deal.deliveries.filter(({ status }) => status === 'reported');
    if (fresh.length === 0 || draw < 0.15) return this.sentBack(known, deal, state);
    const { n, leg, quantity } = this.random.pick(fresh);
    if (draw < 0.75) return this.command(known, `deliveries/${n}/confirm`, {}, state);
    const measure = deal.legs.find((one) => one.leg === leg)?.drawn.measure ?? '';
    const corrected = LINES[MEASURES.indexOf(measure)]?.(this.random.between(1, Number(quantity.amount)));
    return this.command(known, `deliveries/${n}/correct`, { quantity: corrected, reason: 'Miscounted.' }, donor);
  }

  /** Uses of a laboratory are not sent back. */
  private sentBack({ path }: Known, { legs, deliveries }: Deal, state: Who): Intent | undefined {
    if (deliveries.length === 0) return undefined;
    const { n, leg } = this.random.pick(deliveries);
    const measure = legs.find((one) => one.leg === leg)?.drawn.measure;
    if (measure !== 'seats' && measure !== 'money') return undefined;
    const quantity = measure === 'seats' ? seats(1) : usd(1);
    return this.request(state, `${path}/returns`, { delivery: n, quantity, reason: 'Not fit.', date: DATE });
  }

  /** A payment, its receipt, or what was spent of it. */
  private money(known: Known, { transfers, receipts }: Deal, donor: Who, state: Who): Intent {
    const { path } = known;
    const waiting = transfers.filter(({ n }) => !receipts.some(({ transfer }) => transfer === n));
    const next = this.random.next();
    if (waiting.length > 0 && next < 0.5) {
      const { n, amount } = this.random.pick(waiting);
      // At this revision: two callers who receipt one transfer would say that more arrived than was sent.
      return this.command(known, 'receipts', { transfer: n, amount, date: DATE, reference: `Credit ${n}` }, state);
    }
    if (transfers.length > 0 && next < 0.7) {
      const lines = [{ budgetLine: 'Travel', amount: usd(1) }];
      const period = { from: DATE, to: DATE };
      return this.request(state, `${path}/expenditures`, { kind: 'interim', period, lines, date: DATE });
    }
    const paid = { kind: 'disbursement', from: donor.party, to: state.party, amount: usd(this.random.between(1, 3)) };
    return this.request(donor, `${path}/transfers`, { ...paid, date: DATE, reference: `Payment ${transfers.length}` });
  }

  /** Proposes an amendment, or answers the one that waits. */
  private amendment(known: Known, { legs, amendments = [] }: Deal, donor: Who, state: Who): Intent | undefined {
    const { random } = this;
    // Uses that were freed are not amended: what they were is over.
    if (legs.some(({ drawn }) => drawn.measure === 'access')) return undefined;
    const open = amendments.find(({ status }) => status === 'proposed');
    if (open === undefined) {
      const changed = legs.map(({ leg, offerLine, needLine }) => ({ ...this.leg(offerLine - 1), leg, needLine }));
      const added = random.chance(0.3) ? [this.leg(random.between(0, 1))] : [];
      const body = { legs: [...changed, ...added], reason: 'Another size.' };
      return this.command(known, 'amend', body, random.pick([donor, state]));
    }
    const [proposer, other] = open.side === 'provider' ? [donor, state] : [state, donor];
    if (random.chance(0.1)) return this.command(known, 'amend-withdraw', {}, proposer);
    if (random.chance(0.1)) return this.command(known, 'amend-decline', {}, other);
    return this.command(known, 'amend-accept', {}, other);
  }

  /** What a fund is given, and what it decides for this need. */
  private async inFund(client: Client, needId: string): Promise<Intent | undefined> {
    const { random } = this;
    const given = this.contributions.filter(({ view }) => view.status !== 'cancelled');
    const draw = random.next();
    if (given.length === 0 || draw < 0.05) {
      const pledge = { fund: FUND.party, amount: usd(10_000), date: DATE };
      return this.request(random.pick(DONORS), '/v1/contributions', pledge);
    }
    const contribution = random.pick(given);
    if (contribution.view.status === 'pledged') return this.command(contribution, 'sign', { date: DATE });
    if (draw < 0.2) {
      return this.request(FUND, `${contribution.path}/receipts`, { amount: usd(random.between(100, 500)), date: DATE });
    }
    const { status, body: view } = await client.get(BOOK, FUND);
    if (status !== 200) return undefined;
    const decision = {
      body: 'Committee',
      date: DATE,
      reference: 'Minutes',
      allocations: [{ needId, amount: usd(20) }],
    };
    return this.command({ path: BOOK, owner: FUND, view }, 'decisions', decision);
  }
}
