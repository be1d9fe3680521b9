import type { CommandContext, Folded } from '#kernel';
import { Clock } from '#kernel';
import type { Quantity } from '#vocabulary';
import { isFuture, lastInstant } from '#vocabulary';
import type { CommandAccess, HttpAnswer, RequestContext, Settle } from '#web';
import { invalid, notFound, RecordEndpoints, requireSameMoment, RouteAction, uuidOf } from '#web';
import { Injectable } from '@nestjs/common';
import { CommitmentRecords } from './commitment-records.js';
import { canonical } from './commitment-fields.dto.js';
import type { CommitmentCommand, CommitmentState, PartyCommandType } from './commitment.js';
import { ANSWER_PROBLEMS, COMMITMENT_PROBLEMS } from './commitment.problems.js';
import { COMMITMENT_ACCESS } from './commitment.view.js';

/** A command before it is known who sends it when. */
export type Unasked = CommitmentCommand extends infer C ? (C extends CommitmentCommand ? Omit<C, 'by'> : never) : never;

type OfParty = Unasked & { readonly type: PartyCommandType };

export const asked =
  (command: Unasked) =>
  (by: CommandContext): CommitmentCommand => ({ ...command, by });

/** Commands whose outcome a caller may wait for. */
const AWAITED: readonly string[] = ['ProposeCommitment', 'AcceptCommitment', 'AcceptAmendment'];

/** The route of a command: who may ever send it, and what it may be refused for. */
export const onCommand = (type: keyof typeof COMMITMENT_ACCESS, ifMatch?: 'required' | 'optional'): MethodDecorator =>
  RouteAction({
    ...COMMITMENT_ACCESS[type],
    problems: AWAITED.includes(type) ? { ...COMMITMENT_PROBLEMS, ...ANSWER_PROBLEMS } : COMMITMENT_PROBLEMS,
    ...(ifMatch === undefined ? {} : { ifMatch }),
  });

/** A number in a path that is none names nothing. */
export const numberOf = (n: string): number => {
  if (!/^[1-9][0-9]{0,8}$/.test(n)) throw notFound();
  return Number(n);
};

/** The fields that were given, without those left out. */
export const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

export const optional = (quantity: Quantity | undefined): Quantity | undefined =>
  quantity === undefined ? undefined : canonical(quantity);

interface Options {
  readonly ifMatch?: 'optional';
  readonly effectiveAt?: string;
  readonly settle?: Settle;
}

/** How the controllers of commitments send commands of parties. */
@Injectable()
export class CommitmentCommands {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: CommitmentRecords,
    private readonly clock: Clock,
  ) {}

  /** @param command or what makes it from the record as it stands; it may throw problems */
  send<T extends PartyCommandType>(
    ctx: RequestContext,
    id: string,
    command: (OfParty & { readonly type: T }) | { readonly type: T; readonly build: FromRecord<T> },
    options: Options = {},
  ): Promise<HttpAnswer> {
    const access: CommandAccess = COMMITMENT_ACCESS[command.type];
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access,
      type: command.type,
      ifMatch: options.ifMatch ?? 'required',
      prepare: async (folded) => asked('build' in command ? await command.build(folded) : command),
      ...(options.effectiveAt === undefined ? {} : { effectiveAt: options.effectiveAt }),
      ...(options.settle === undefined ? {} : { settle: options.settle }),
    });
  }

  /** A report's date is its `effectiveAt`; it is not dated after today, the latest date anywhere. */
  report(
    ctx: RequestContext,
    id: string,
    date: string,
    command: OfParty,
    ifMatch: 'optional' | 'required' = 'optional',
  ): Promise<HttpAnswer> {
    this.requireNoFuture(date);
    requireSameMoment(ctx, 'date', date);
    return this.send(ctx, id, command, { effectiveAt: date, ...(ifMatch === 'optional' ? { ifMatch } : {}) });
  }

  /** @throws {Problem} 400 where the day has begun nowhere on Earth */
  requireNoFuture(date: string, field = 'date'): void {
    if (!isFuture(date, this.clock.now())) return;
    throw invalid([{ field, message: 'must not lie after today (the latest date anywhere on Earth)' }]);
  }

  /** The day of a report that names none: that of `Effective-At`, else today in UTC. */
  dayOf({ effectiveAt }: RequestContext): string {
    return (effectiveAt === undefined ? this.clock.now().toISOString() : lastInstant(effectiveAt)).slice(0, 10);
  }
}

type FromRecord<T extends PartyCommandType> = (
  folded: Folded<CommitmentState>,
) => Promise<Unasked & { readonly type: T }> | (Unasked & { readonly type: T });
