import { Controller, Get, Inject, Param, Query, type Type } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Command, DomainEvent, Rejection } from '#kernel';
import { ListQuery } from './dto.js';
import { HttpAnswer } from './http-answer.js';
import { RecordEndpoints } from './record-endpoints.js';
import type { RecordKind } from './record-kind.js';
import { Ctx, type RequestContext } from './request-context.js';
import { RouteAction } from './route-action.js';

/** How the histories of one kind of record are served. */
export interface HistoryRoute {
  /** Such as `v1/needs`: the route is `<path>/:id/history`. */
  readonly path: string;
  readonly tag?: string;
  /** Such as `need.history`. */
  readonly action: string;
  /** The provider that knows the kind of record. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a history looks at no state: any kind of record has one
  readonly records: Type<RecordKind<any, any, any, any>>;
  /** The record's id from the path. @throws {Problem} 404 where it is none */
  readonly idOf: (given: string) => string;
  /** True for a record that is known without any event: its history is empty, not absent. */
  readonly isKnown?: (id: string) => boolean;
}

/** What follows `Controller` in a class's name says which part of its routes are served apart; see `operationIdOf`. */
const HISTORY = 'History';

/**
 * The controller of `…/history` for one kind of record, apart from its other routes: an app may serve every history and nothing else.
 * @param name of the controller whose route it would be; its operations in the interface's document are named after it
 */
export const historyController = (name: string, route: HistoryRoute): Type => {
  const { path, tag, action, records, idOf, isKnown = () => false } = route;

  @Controller(path)
  class History {
    constructor(
      private readonly endpoints: RecordEndpoints,
      @Inject(records) private readonly kind: RecordKind<unknown, Command, DomainEvent, Rejection>,
    ) {}

    @Get(':id/history')
    @RouteAction({ action, anonymous: true })
    history(
      @Ctx() ctx: RequestContext,
      @Param('id') given: string,
      @Query() { limit, cursor }: ListQuery,
    ): Promise<HttpAnswer> {
      const id = idOf(given);
      return this.endpoints.history(
        ctx,
        this.kind,
        id,
        {
          ...(limit === undefined ? {} : { limit }),
          ...(cursor === undefined ? {} : { cursor }),
        },
        isKnown(id),
      );
    }
  }
  Object.defineProperty(History, 'name', { value: `${name}${HISTORY}` });
  if (tag !== undefined) ApiTags(tag)(History);
  return History;
};
