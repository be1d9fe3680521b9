import { commitmentDecider } from '#commitments';
import type { Actor } from '#kernel';
import { contributionDecider, fundDecider } from '#funds';
import { needDecider } from '#needs';
import { offerDecider } from '#offers';
import type { Random } from '../extra/random.js';
import { Client } from './client.js';
import {
  choose,
  commitmentMoves,
  CONTRIBUTION,
  contributionMoves,
  FUND_BOOK,
  fundFacts,
  fundMoves,
  NEED,
  needMoves,
  OFFER,
  offerMoves,
  proposal,
} from './moves.js';
import {
  COORDINATOR,
  FIJI,
  FUND,
  JAPAN,
  NETWORK,
  quantity,
  recordId,
  someNeed,
  someOffer,
  SWEDEN,
  TERMS,
  VANUATU,
} from './people.js';
import type { Network } from './network.js';

/** Somebody with something to do. */
export interface Part {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Times that a client looks for something that is not there yet. */
const LOOKS = 25;

/** A small world and those who act in it: offers, needs, and commitments between them that compete for both. */
export class Life {
  private readonly random: Random;
  private readonly offers: readonly string[];
  private readonly needs: readonly string[];
  private readonly commitments: readonly string[];
  private readonly hasFund: boolean;

  constructor(private readonly network: Network) {
    const { random } = network;
    this.random = random;
    this.offers = ids('offer', random.between(1, 3));
    this.needs = ids('need', random.between(1, 3));
    this.commitments = ids('commitment', random.between(2, 6));
    this.hasFund = random.chance(0.4);
  }

  /** Everybody, from nothing on. */
  parts(): readonly Part[] {
    return [
      ...this.offers.map((id, n) => this.offer(id, `offer-${n + 1}`, this.hasFund && n === 0 ? FUND : undefined)),
      ...this.needs.map((id, n) => this.need(id, `need-${n + 1}`)),
      ...this.commitments.flatMap((id, n) => this.commitment(id, n + 1)),
      ...(this.hasFund
        ? [this.fund(), ...ids('contribution', 2).map((id, n) => this.contribution(id, `contribution-${n + 1}`))]
        : []),
    ];
  }

  /** Those who go on with what is there, long after. */
  later(season: string): readonly Part[] {
    return this.commitments.map((id, n) => {
      const client = new Client(`${season}-commitment-${n + 1}`, this.network);
      return { name: client.name, run: () => this.carryOn(client, id, this.random.between(0, 3)) };
    });
  }

  private offer(id: string, name: string, by: Actor | undefined): Part {
    const { random, network } = this;
    const lead = by ?? random.pick([JAPAN, SWEDEN]);
    const content = someOffer(random, lead, random.chance(0.2) ? (lead === JAPAN ? SWEDEN : JAPAN) : undefined);
    const client = new Client(name, network);
    const run = async (): Promise<void> => {
      await client.send({ decider: OFFER, id, body: { type: 'PostOffer', content }, by: lead });
      await this.times(random.between(0, 3), async () => {
        const { state, revision } = network.look(offerDecider, id);
        const intent = choose(random, offerMoves(random, id, state, revision));
        if (intent !== undefined) await client.send(intent);
      });
    };
    return { name, run };
  }

  private need(id: string, name: string): Part {
    const { random, network } = this;
    const by = random.pick([VANUATU, VANUATU, VANUATU, FIJI, NETWORK]);
    const beneficiaries = by === NETWORK ? [VANUATU.party, FIJI.party] : [by.party];
    const content = someNeed(random);
    const circulate = random.chance(0.9) ? 'yes' : 'asked';
    const others = this.needs.filter((other) => other !== id);
    const client = new Client(name, network);
    const send = (body: { readonly type: string }, from = by): Promise<unknown> =>
      client.send({ decider: NEED, id, body, by: from });
    const run = async (): Promise<void> => {
      await send({ type: 'DraftNeed', filer: by.party, beneficiaries, content } as { type: string });
      if (by === NETWORK) {
        for (const state of [VANUATU, FIJI])
          if (random.chance(0.9)) await send({ type: 'ConsentParticipation' }, state);
      }
      await send({ type: 'SubmitNeed', consent: { circulate, publish: 'yes' } } as { type: string });
      await send({ type: 'OpenNeed' }, COORDINATOR);
      await this.times(random.between(0, 3), async () => {
        const { state, revision } = network.look(needDecider, id);
        const intent = choose(random, needMoves(random, id, state, revision, others));
        if (intent !== undefined) await client.send(intent);
      });
    };
    return { name, run };
  }

  /** A commitment is proposed once there is something to propose on, and carried on by two people who do not wait for each other. */
  private commitment(id: string, n: number): readonly Part[] {
    const { random, network } = this;
    const offerId = random.pick(this.offers);
    const needId = random.pick(this.needs);
    const moves = random.between(3, 10);
    const begin = random.between(0, 1_500);
    const one = new Client(`commitment-${n}`, network);
    const other = new Client(`beside-${n}`, network);
    const propose = async (): Promise<void> => {
      await network.sleep(begin);
      for (let looks = 0; looks < LOOKS; looks += 1) {
        const offer = network.look(offerDecider, offerId).state;
        const need = network.look(needDecider, needId).state;
        const open = offer.summary?.status === 'open' && need.status === 'open';
        const may = open || random.chance(0.05);
        const intent = may ? proposal(random, id, [offerId, offer], [needId, need]) : undefined;
        if (intent !== undefined) {
          await one.send(intent);
          return;
        }
        await network.sleep(random.between(50, 400));
      }
    };
    return [
      {
        name: one.name,
        run: async () => {
          await propose();
          await this.carryOn(one, id, moves);
        },
      },
      {
        name: other.name,
        run: async () => {
          await network.sleep(begin + random.between(100, 2_000));
          await this.carryOn(other, id, moves);
        },
      },
    ];
  }

  private fund(): Part {
    const { random, network } = this;
    const client = new Client('fund', network);
    const run = async (): Promise<void> => {
      const body = { type: 'EstablishFund', fund: FUND.party, terms: TERMS, unregistered: [] };
      await client.send({ decider: FUND_BOOK, id: FUND.party, body, by: FUND });
      await this.times(random.between(4, 10), async () => {
        const { state } = network.look(fundDecider, FUND.party);
        const intent = choose(random, fundMoves(random, state, this.needs));
        if (intent !== undefined) await client.send(intent);
      });
    };
    return { name: client.name, run };
  }

  private contribution(id: string, name: string): Part {
    const { random, network } = this;
    const by = random.pick([JAPAN, SWEDEN]);
    const client = new Client(name, network);
    const pledge = {
      fund: FUND.party,
      amount: quantity('money', random.between(30, 90)),
      date: '2026-02-27',
      visibility: 'members',
    };
    const run = async (): Promise<void> => {
      await network.sleep(random.between(0, 1_000));
      await client.send({
        decider: CONTRIBUTION,
        id,
        body: { type: 'PledgeContribution', pledge },
        by,
        facts: fundFacts,
      });
      await this.times(random.between(2, 5), async () => {
        const { state } = network.look(contributionDecider, id);
        const intent = choose(random, contributionMoves(random, id, state));
        if (intent !== undefined) await client.send(intent);
      });
    };
    return { name, run };
  }

  private async carryOn(client: Client, id: string, moves: number): Promise<void> {
    const { random, network } = this;
    await this.times(moves, async () => {
      const { state, revision } = network.look(commitmentDecider, id);
      const intent = choose(random, commitmentMoves(random, id, state, revision));
      if (intent !== undefined) await client.send(intent);
    });
  }

  private async times(count: number, act: () => Promise<void>): Promise<void> {
    for (let time = 0; time < count; time += 1) {
      await this.network.sleep(this.random.between(0, 2_000));
      await act();
    }
  }
}

const ids = (kind: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => recordId(kind, n + 1));
