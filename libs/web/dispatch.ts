import type { ICommandHandler, IQueryHandler } from '@nestjs/cqrs';
import { Command as BusCommand, CommandHandler, Query as BusQuery, QueryHandler } from '@nestjs/cqrs';
import type { Command, CommandContext, CommandMeta, Decider, DomainEvent, Folded, Outcome, Rejection } from '#kernel';
import { Transactor } from '#kernel';

type AnyDecider = Decider<unknown, Command, DomainEvent, Rejection>;

/** A command to one record, on its way over the bus. */
export class Transact extends BusCommand<Outcome<unknown, Rejection>> {
  constructor(
    readonly decider: AnyDecider,
    readonly id: string,
    readonly command: (by: CommandContext) => Command,
    readonly meta: CommandMeta,
    /** The record as the caller has read it, for a first try without another read. */
    readonly known: Folded<unknown>,
  ) {
    super();
  }
}

/** Asks for a record as its own stream tells it. */
export class FoldRecord extends BusQuery<Folded<unknown>> {
  constructor(
    readonly decider: AnyDecider,
    readonly id: string,
  ) {
    super();
  }
}

@CommandHandler(Transact)
export class TransactHandler implements ICommandHandler<Transact> {
  constructor(private readonly transactor: Transactor) {}

  execute({ decider, id, command, meta, known }: Transact): Promise<Outcome<unknown, Rejection>> {
    return this.transactor.transact(decider, id, command, meta, { known });
  }
}

@QueryHandler(FoldRecord)
export class FoldRecordHandler implements IQueryHandler<FoldRecord> {
  constructor(private readonly transactor: Transactor) {}

  execute({ decider, id }: FoldRecord): Promise<Folded<unknown>> {
    return this.transactor.load(decider, id);
  }
}
