import { LocalMessageBus } from '#bus-local';
import type { CommitmentCommand } from '#commitments';
import { commitmentDecider, commitmentProgress, OpenProposals } from '#commitments';
import { partyDecider } from '#directory';
import type { Actor, Command, CommandContext, Decider, DomainEvent, Process, Rejection } from '#kernel';
import { newId, ProcessRunner, SystemClock, Transactor } from '#kernel';
import { coverageReserving, needDecider } from '#needs';
import { capacityHolding, offerDecider } from '#offers';
import { SqliteEventStore } from '#store-sqlite';
import { join } from 'node:path';
import { COORDINATOR, deskOf, needContent, npcOf, offerContent, REGISTERED, SEATS } from './content.js';

/** Files under way at once: they share commits, as callers do. */
const ABREAST = 100;
/** Of ten needs this many get a commitment, and this many of those are delivered and confirmed. */
const COMMITTED_OF_TEN = 4;
const DELIVERED_OF_FOUR = 2;
/** Offers that the commitments draw on. */
const OFFERS = 50;

/**
 * Writes a log of at least `events` events into a fresh data folder: needs drafted, amended, submitted and opened, offers posted,
 * commitments proposed, held, accepted, signed and delivered. Every event comes from a decider; what answers what is the processes' doing.
 * Answers how many there are.
 */
export const writeLog = async (folder: string, events: number): Promise<number> => {
  const store = SqliteEventStore.open(folder);
  const transactor = new Transactor(store, new SystemClock());
  const bus = new LocalMessageBus(store, join(folder, 'processes.sqlite'));
  const processes: readonly Process[] = [capacityHolding, coverageReserving, commitmentProgress(new NothingCloses())];
  const runner = new ProcessRunner(bus, transactor, processes);
  runner.start();
  /** What processes write is answered by processes again: until nothing more comes. */
  const answered = async (): Promise<void> => {
    for (let head = await store.head(), before = -1n; head !== before;) {
      await runner.reached(head);
      before = head;
      head = await store.head();
    }
  };
  const author = new Author(transactor, answered);
  try {
    for (const id of REGISTERED) await author.registers(id);
    const offers = await Promise.all(Array.from({ length: OFFERS }, (_, n) => author.offers(n)));
    for (let n = 0; (await store.head()) < BigInt(events); n += ABREAST) {
      const files = Array.from({ length: ABREAST }, (_, place) => n + place);
      const needs = await Promise.all(files.map((file) => author.files(file)));
      const pairs = files.flatMap((file, place) => {
        const need = needs[place];
        const offer = offers[file % offers.length];
        return file % 10 < COMMITTED_OF_TEN && need !== undefined && offer !== undefined ? [{ file, need, offer }] : [];
      });
      await author.commits(pairs);
    }
    await answered();
    return Number(await store.head());
  } finally {
    await runner.stop();
    await bus.close();
    await store.close();
  }
};

/** Nobody asks which proposals stand open while nothing closes. */
class NothingCloses extends OpenProposals {
  override of(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}

interface Pair {
  readonly file: number;
  readonly need: string;
  readonly offer: string;
}

/** Whoever acts in the story, through the deciders. */
class Author {
  constructor(
    private readonly transactor: Transactor,
    private readonly answered: () => Promise<void>,
  ) {}

  async registers(id: string): Promise<void> {
    await this.does(partyDecider, id, COORDINATOR, (by) => ({ type: 'RegisterParty', by, id, content: { name: id } }));
  }

  async offers(n: number): Promise<string> {
    const id = newId();
    await this.does(offerDecider, id, deskOf(n), (by) => ({ type: 'PostOffer', by, content: offerContent(n) }));
    return id;
  }

  /** A need from its draft to its opening; one in four is amended on the way. */
  async files(n: number): Promise<string> {
    const id = newId();
    const filer = npcOf(n);
    const { party } = filer;
    await this.does(needDecider, id, filer, (by) => ({
      type: 'DraftNeed',
      by,
      filer: party,
      beneficiaries: [party],
      content: needContent(n),
    }));
    if (n % 4 === 0) {
      await this.does(needDecider, id, filer, (by) => ({
        type: 'AmendNeed',
        by,
        changes: { outcome: `${needContent(n + 1).outcome ?? ''} As agreed with the review of file ${n}.` },
      }));
    }
    const consent = { circulate: 'yes', publish: 'yes' } as const;
    await this.does(needDecider, id, filer, (by) => ({ type: 'SubmitNeed', by, consent }));
    await this.does(needDecider, id, COORDINATOR, (by) => ({ type: 'OpenNeed', by }));
    return id;
  }

  /** Proposals to these pairs, accepted once held, signed once accepted; some are delivered and confirmed. */
  async commits(pairs: readonly Pair[]): Promise<void> {
    const commitments = await Promise.all(pairs.map((pair) => this.proposes(pair)));
    const on = (chosen: (pair: Pair) => boolean, actor: (pair: Pair) => Actor, command: Unasked): Promise<unknown> =>
      Promise.all(
        pairs.map(async (pair, place) => {
          const id = commitments[place];
          if (id === undefined || !chosen(pair)) return;
          await this.does(commitmentDecider, id, actor(pair), (by) => ({ ...command, by }));
        }),
      );
    const all = (): boolean => true;
    const delivered = ({ file }: Pair): boolean => file % 10 < DELIVERED_OF_FOUR;
    const state = ({ file }: Pair): Actor => npcOf(file);
    await this.answered();
    await on(all, state, { type: 'AcceptCommitment' });
    await this.answered();
    await on(all, desk, { type: 'SignCommitment' });
    await on(all, state, { type: 'SignCommitment' });
    await this.answered();
    await on(delivered, desk, { type: 'ReportDelivery', leg: 1, quantity: TEN_SEATS, date: '2026-01-15' });
    await this.answered();
    await on(delivered, state, { type: 'ConfirmDelivery', n: 1, condition: 'usable' });
    await this.answered();
  }

  private async proposes(pair: Pair): Promise<string> {
    const id = newId();
    const { file, need, offer } = pair;
    const { party } = npcOf(file);
    const { lines, instruments, traffickingNexus } = needContent(file);
    const provider = desk(pair);
    await this.does(commitmentDecider, id, provider, (by) => ({
      type: 'ProposeCommitment',
      by,
      legs: [{ offerLine: SEATS.offerLine, needLine: SEATS.needLine, drawn: TEN_SEATS }],
      facts: {
        offer: {
          offerId: offer,
          open: true,
          providers: [provider.party],
          lines: offerContent(file).lines,
          conditions: [],
        },
        need: { needId: need, open: true, filer: party, beneficiaries: [party], lines },
        earmarkFacts: {
          beneficiaries: [party],
          networks: [],
          regions: [],
          instruments,
          traffickingNexus,
          needLineKinds: Object.fromEntries(lines.map(({ line, kind }) => [String(line), kind])),
        },
        unknownAgencies: [],
      },
    }));
    return id;
  }

  private async does<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    actor: Actor,
    // Naming the type's type keeps the literal.
    command: (by: CommandContext) => C & { readonly type: C['type'] },
  ): Promise<void> {
    const meta = { commandId: newId(), once: true as const, correlationId: newId(), causationId: null, actor };
    const outcome = await this.transactor.transact(decider, id, command, meta, { attempts: Infinity });
    if (outcome.kind === 'refused') throw new Error(`${decider.category} ${id}: ${outcome.rejection.detail}`);
  }
}

/** The desk of the offer that a file draws on. */
const desk = ({ file }: Pair): Actor => deskOf(file % OFFERS);

const TEN_SEATS = { measure: 'seats', amount: '10' } as const;

type Unasked = CommitmentCommand extends infer C ? (C extends CommitmentCommand ? Omit<C, 'by'> : never) : never;
