import type { Answer, Client, Intent, RecordView, Who } from './client.js';
import {
  COORDINATOR,
  DisconnectedError,
  DONORS,
  intent,
  legsOf,
  needBody,
  offerBody,
  seats,
  STATES,
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

const REASON = { reason: { code: 'timing' } };

/** Mixed traffic of several callers at once, that remembers what it was promised. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** Sent with a key, and the connection broke before an answer. */
  unanswered: Intent[] = [];
  private readonly needs: Known[] = [];
  private readonly offers: Known[] = [];
  private readonly commitments: Known[] = [];

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
    if (answer.status < 300) this.remember(record, request.who, answer.body);
    return true;
  }

  private recordOf(path: string): string {
    return path.split('/').slice(0, 4).join('/');
  }

  private remember(path: string, who: Who, view: RecordView): void {
    const list = path.startsWith('/v1/needs')
      ? this.needs
      : path.startsWith('/v1/offers')
        ? this.offers
        : this.commitments;
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
      return this.request(random.pick(DONORS), '/v1/offers', offerBody('Courses', random.between(4, 20)));
    }
    if (open.length === 0 || draw < 0.3) return this.towardsOpenNeed();
    if (draw < 0.31) return this.command(random.pick(offers), 'withdraw', REASON);
    if (draw < 0.32) return this.command(random.pick(open), 'withdraw', REASON);
    if (this.commitments.length > 0 && draw < 0.8) return this.onCommitment(client, random.pick(this.commitments));
    const [offer, need] = [random.pick(offers), random.pick(open)];
    const proposal = { offerId: offer.view.id, needId: need.view.id, legs: legsOf(random.between(1, 4)) };
    const prefer: Record<string, string> = random.chance(0.5) ? { prefer: 'wait=5' } : {};
    return this.request(random.chance(0.7) ? offer.owner : need.owner, '/v1/commitments', proposal, prefer);
  }

  private towardsOpenNeed(): Intent {
    const { random } = this;
    const waiting = this.needs.filter(({ view }) => view.status === 'draft' || view.status === 'submitted');
    if (waiting.length < 2 || random.chance(0.3)) {
      return this.request(random.pick(STATES), '/v1/needs', needBody('Officers to be trained', random.between(3, 12)));
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
    const donor: Who = { party: String(view.donor), role: 'donor-desk' };
    const state: Who = { party: `state:${String(view.state)}`, role: 'npc' };
    const [proposer, other] = view.proposedBy === donor.party ? [donor, state] : [state, donor];
    const legs = view.legs as readonly { readonly drawn: { readonly amount: string } }[];
    const drawn = Number(legs[0]?.drawn.amount);
    switch (view.status) {
      case 'proposed':
        if (random.chance(0.1)) return this.command(known, 'withdraw', REASON, proposer);
        if (random.chance(0.1)) return this.command(known, 'decline', REASON, other);
        return this.command(known, 'accept', {}, other);
      case 'accepted':
        if (random.chance(0.05)) return this.command(known, 'withdraw', REASON, proposer);
        return this.command(known, 'sign', {}, random.pick([donor, state]));
      case 'binding':
        if (random.chance(0.1)) return this.command(known, 'cancel', REASON, random.pick([donor, state]));
        return this.request(donor, `${known.path}/deliveries`, {
          leg: 1,
          quantity: seats(random.between(1, drawn)),
          date: '2026-11-20',
        });
      case 'delivered':
        return this.command(known, `deliveries/${random.between(1, 2)}/confirm`, {}, state);
      default:
        return undefined;
    }
  }
}
