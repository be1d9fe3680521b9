import { Agent, request } from 'node:http';
import type { EventStore } from '#kernel';
import { idOfStream, newId, newSalt, NO_STREAM } from '#kernel';
import { COORDINATOR, deskOf, needBody, npcOf, offerBody, SEATS } from './content.js';
import type { Folders } from './folders.js';
import { quantile } from './measure.js';
import type { Figure } from './report.js';
import type { BenchedService } from './service.js';
import { serve } from './service.js';

/** Proposals before those that count. */
const WARM = 20;

/** From sending a proposal to its hold being on disk and told, against one durable append, turn by turn. */
export const holding = async (
  folders: Folders,
  { proposals }: { readonly proposals: number },
): Promise<readonly Figure[]> => {
  const service = await serve(folders.fresh('hold'));
  try {
    return holdFigures('one durable append', await proposing(service, proposals, durableAppend(service.app.store)));
  } finally {
    await service.app.close();
  }
};

/** Milliseconds, one of each a turn. */
interface Turns {
  /** From sending a proposal to a subscriber of the log being told of its hold. */
  readonly holds: readonly number[];
  /** From sending it to its pending answer. */
  readonly answers: readonly number[];
  /** Of what was measured beside it. */
  readonly others: readonly number[];
}

/** Proposals one at a time, each followed by something else to compare it with, once nothing of it is under way any more. */
export const proposing = async (
  { app, url, post, tokenOf }: BenchedService,
  proposals: number,
  other: () => Promise<number>,
): Promise<Turns> => {
  const agent = new Agent({ keepAlive: true });
  const holdings = new Holdings(app.store, await app.store.head());
  try {
    const filer = npcOf(0);
    const desk = deskOf(0);
    const { body: offer } = await post('/v1/offers', offerBody(0), desk);
    const { body: need } = await post('/v1/needs', needBody(0), filer);
    const consent = { circulate: true, publish: true };
    const { body: submitted } = await post(`/v1/needs/${need.id}/submit`, { consent }, filer, need.revision);
    await post(`/v1/needs/${need.id}/open`, {}, COORDINATOR, submitted.revision);
    await app.settled();
    const proposal = JSON.stringify({
      offerId: offer.id,
      needId: need.id,
      legs: [{ ...SEATS, drawn: { measure: 'seats', amount: '1' } }],
    });
    const token = await tokenOf(desk);
    const holds: number[] = [];
    const answers: number[] = [];
    const others: number[] = [];
    for (let n = -WARM; n < proposals; n += 1) {
      const begun = performance.now();
      const id = await propose(agent, `${url}/v1/commitments`, token, proposal);
      const answered = performance.now() - begun;
      const held = (await holdings.momentOf(id)) - begun;
      // Nothing of a proposal is still under way when the next begins.
      await app.settled();
      const single = await other();
      if (n < 0) continue;
      holds.push(held);
      answers.push(answered);
      others.push(single);
    }
    return { holds, answers, others };
  } finally {
    await holdings.stop();
    agent.destroy();
  }
};

/** What turns say, against what was measured beside them (`one durable append`, say). */
export const holdFigures = (beside: string, { holds, answers, others }: Turns): readonly Figure[] => {
  const ratio = (p: number): number => quantile(holds, p) / quantile(others, p);
  return [
    { name: `${beside}, p50`, value: quantile(others, 0.5), unit: 'ms' },
    { name: 'POST /v1/commitments answered (pending), p50', value: quantile(answers, 0.5), unit: 'ms' },
    { name: 'proposal to held, p50', value: quantile(holds, 0.5), unit: 'ms' },
    { name: 'proposal to held, p95', value: quantile(holds, 0.95), unit: 'ms' },
    {
      name: `proposal to held, p50 : ${beside}, p50`,
      value: ratio(0.5),
      unit: 'ratio',
      target: { bound: 'at most', value: 10 },
    },
    { name: `proposal to held, p95 : ${beside}, p95`, value: ratio(0.95), unit: 'ratio' },
  ];
};

/** When each hold was told to a subscriber of the log. */
class Holdings {
  private readonly moments = new Map<string, number>();
  private waiting: (() => void) | undefined;
  private readonly subscription;

  constructor(store: EventStore, after: bigint) {
    this.subscription = store.subscribeToAll(after, async (batch) => {
      const now = performance.now();
      for (const { type, stream } of batch) if (type === 'CommitmentHeld') this.moments.set(idOfStream(stream), now);
      this.waiting?.();
    });
  }

  /** The hold may be told before the proposal's own answer is. */
  async momentOf(id: string): Promise<number> {
    for (;;) {
      const moment = this.moments.get(id);
      if (moment !== undefined) return moment;
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
  }

  stop(): Promise<void> {
    return this.subscription.stop();
  }
}

/** Sends a proposal over a connection that stays open; answers the commitment's id. */
const propose = (agent: Agent, url: string, token: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 201) resolve((JSON.parse(text) as { readonly id: string }).id);
        else reject(new Error(`a proposal was answered ${response.statusCode ?? 0}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** One event at a time to a technical stream, which no read model hears of; answers milliseconds. */
const durableAppend = (store: EventStore): (() => Promise<number>) => {
  let revision = NO_STREAM;
  return async () => {
    const moment = new Date().toISOString();
    const event = {
      id: newId(),
      type: 'Measured',
      data: { padding: 'x'.repeat(500) },
      metadata: {
        commandId: newId(),
        correlationId: newId(),
        causationId: null,
        actor: COORDINATOR,
        effectiveAt: moment,
        recordedAt: moment,
        schema: 1,
        salt: newSalt(),
      },
    };
    const begun = performance.now();
    ({ revision } = await store.append('_bench', revision, [event]));
    return performance.now() - begun;
  };
};
