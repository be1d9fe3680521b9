import { SetMetadata } from '@nestjs/common';
import type { Power, Role } from '#vocabulary';
import type { ProblemInfo } from './problem.js';

/** What a route does, who may do it at all, and what its document says beyond its types. */
export interface RouteActionOptions {
  /** Name of the action, e.g. `need.submit`. */
  readonly action: string;
  /** Roles that may ever do this; absent: whoever has a token (or anyone, with `anonymous`). */
  readonly roles?: readonly Role[];
  /** The power the person needs beside the role. */
  readonly power?: Power;
  /** Served without a token. Only reads may be. */
  readonly anonymous?: boolean;
  /** Who is answered at all, for the document of a read that judges it by more than a role. */
  readonly readers?: string;
  /** What its figures mean, where types do not say it: for its document. */
  readonly says?: string;
  /** The refusals of this route's decider, for its document: `problems: NEED_PROBLEMS`. */
  readonly problems?: Readonly<Record<string, ProblemInfo>>;
  /** How the route treats `If-Match`, for its document. */
  readonly ifMatch?: 'required' | 'optional';
  /** A POST that only asks: nothing is written, not even who asked, and a `Consistency-Token` counts as on a read. */
  readonly asks?: boolean;
  /** Status of success; unless told 201 for a creation, 200 for everything else. */
  readonly status?: number;
  /** A second status of success, with the same body: what was asked for stood there already. */
  readonly alsoStatus?: number;
  /** Media types answered beside JSON. */
  readonly produces?: readonly string[];
  /** An answer as a client would see it, for its document. */
  readonly example?: object;
}

export const ROUTE_ACTION = 'pledgebook:action';

/** Every route declares its action; a route without one is refused at start. */
export const RouteAction = (options: RouteActionOptions): MethodDecorator => SetMetadata(ROUTE_ACTION, options);
