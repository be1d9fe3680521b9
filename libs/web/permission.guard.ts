import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import type { Caller } from '#directory/contract';
import { ANONYMOUS, hasRole } from '#directory/contract';
import { Clock } from '#kernel';
import { isFuture, readMoment } from '#vocabulary';
import { requireAuthority } from './authority.js';
import { isReservedKey } from './body-reader.js';
import { CallerDirectory } from './caller-directory.js';
import { EmptyBody } from './dto.js';
import type { FieldError } from './problem.js';
import { forbidden, invalid } from './problem.js';
import { contradictionOf } from './record-endpoints.js';
import type { RequestContext } from './request-context.js';
import { readHeaders } from './request-headers.js';
import type { RouteActionOptions } from './route-action.js';
import { ROUTE_ACTION } from './route-action.js';
import { ConsistencyTokens } from './signing.js';
import { SubjectRegister } from './subject-register.js';
import { validated } from './validation.js';

type Handler = (...parameters: readonly unknown[]) => unknown;
type Dto = new () => object;

interface RoutePlan {
  readonly action: RouteActionOptions;
  readonly body: Dto | undefined;
  readonly query: Dto | undefined;
}

/** The subject of a reader who has no reference: no designation names it. */
const NOBODY_DESIGNATED = '';
const BODY = 3;
const QUERY = 4;

/**
 * Validation, then permission, before any handler: Nest's own order would answer 403 before 400. Every fault of headers, query and
 * body is named at once; then the caller is asked of the directory, and the route's role, registration and power are checked.
 */
@Injectable()
export class PermissionGuard implements CanActivate {
  private readonly plans = new WeakMap<Handler, RoutePlan>();

  constructor(
    private readonly directory: CallerDirectory,
    private readonly subjects: SubjectRegister,
    private readonly clock: Clock,
    private readonly tokens: ConsistencyTokens,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const plan = this.planOf(context.getClass(), context.getHandler() as Handler);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const now = this.clock.now();
    const isPost = request.method === 'POST';
    const errors: FieldError[] = [];
    const fromHeaders = readHeaders(request.headers, isPost, now, this.tokens, errors);
    const query = readQuery(request, plan.query, errors);
    const body = isPost ? readBodyAs(request, plan.body, errors) : undefined;
    if (body !== undefined) checkDay(request, body, fromHeaders.effectiveAt, now, errors);
    if (errors.length > 0) throw invalid(errors);
    const writes = isWrite(request) && plan.action.asks !== true;
    const caller = await this.callerOf(request, now, writes);
    permit(caller, plan.action, writes);
    const ctx: RequestContext = {
      ...fromHeaders,
      caller,
      ...(request.pledgebook.token === undefined ? {} : { person: request.pledgebook.token }),
      again: async () => {
        await request.pledgebook.reverify();
        const callerNow = await this.callerOf(request, this.clock.now(), writes);
        permit(callerNow, plan.action, writes);
        return { ...ctx, caller: callerNow };
      },
      correlationId: request.pledgebook.correlationId,
      method: request.method,
      path: pathOf(request.url),
      body: isPost ? sentBody(request) : undefined,
      query: request.query as Record<string, string>,
    };
    request.pledgebook.ctx = ctx;
    // Handlers take what was validated; the context keeps what was sent.
    request.query = query;
    request.body = body;
    return true;
  }

  private async callerOf(request: FastifyRequest, now: Date, writes: boolean): Promise<Caller> {
    const { token } = request.pledgebook;
    if (token === undefined) return ANONYMOUS;
    const { issuer, party, roles } = token;
    const subject = writes
      ? await this.subjects.referenceOf(token)
      : ((await this.subjects.knownReferenceOf(token)) ?? NOBODY_DESIGNATED);
    return this.directory.resolve({ party, roles, issuer, subject }, now);
  }

  private planOf(controller: Type, handler: Handler): RoutePlan {
    const known = this.plans.get(handler);
    if (known !== undefined) return known;
    const action = Reflect.getMetadata(ROUTE_ACTION, handler) as RouteActionOptions | undefined;
    if (action === undefined) throw forbidden('This route declares no action.');
    const plan = { action, body: dtoOf(controller, handler, BODY), query: dtoOf(controller, handler, QUERY) };
    this.plans.set(handler, plan);
    return plan;
  }
}

/** The class of the parameter that takes the whole body (or query). */
const dtoOf = (controller: Type, { name }: Handler, kind: number): Dto | undefined => {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { index: number; data?: unknown }
  >;
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, name) ??
    []) as readonly unknown[];
  const whole = Object.entries(parameters).find(([key, { data }]) => key.startsWith(`${kind}:`) && data === undefined);
  const type = whole === undefined ? undefined : types[whole[1].index];
  return typeof type === 'function' && type !== Object ? (type as Dto) : undefined;
};

const pathOf = (url: string): string => {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
};

const readQuery = (request: FastifyRequest, dto: Dto | undefined, errors: FieldError[]): object => {
  const sent = request.query as Record<string, string | readonly string[]>;
  // Only the interface has contracts about parameters; a probe may add a cache buster.
  if (dto === undefined && !request.url.startsWith('/v1/')) return sent;
  const once: Record<string, string> = {};
  for (const [name, value] of Object.entries(sent)) {
    if (typeof value !== 'string') errors.push({ field: name, message: 'must be given once' });
    else if (isReservedKey(name)) errors.push({ field: name, message: 'unknown parameter' });
    else once[name] = value;
  }
  return read(dto ?? EmptyBody, once, 'parameter', errors);
};

// No body at all is `{}`; `null` is a body, and not an object.
const sentBody = ({ body }: FastifyRequest): unknown => (body === undefined ? {} : body);

const readBodyAs = (request: FastifyRequest, dto: Dto | undefined, errors: FieldError[]): object => {
  const found: FieldError[] = [];
  const body = read(dto ?? EmptyBody, sentBody(request), 'field', found);
  const named = new Set(found.map(({ field }) => field));
  // What the reader saw counts where no field's own rule has said so already.
  for (const { path, message } of request.pledgebook.bodyFaults)
    if (!named.has(path)) found.push({ field: path, message });
  errors.push(...found);
  return body;
};

/** The day that a report is of: it has come somewhere on Earth, and `Effective-At` says no other. */
const checkDay = (
  { url }: FastifyRequest,
  body: object,
  effectiveAt: string | undefined,
  now: Date,
  errors: FieldError[],
): void => {
  const { date } = body as { readonly date?: unknown };
  if (typeof date !== 'string' || readMoment(date) === undefined) return;
  if (isFuture(date, now)) {
    errors.push({ field: 'date', message: 'must not lie after today (the latest date anywhere on Earth)' });
  }
  // A correction is made when it is made: its date is that of what it corrects.
  const contradicted = pathOf(url).endsWith('/correct') ? undefined : contradictionOf(effectiveAt, 'date', date);
  if (contradicted !== undefined) errors.push(contradicted);
};

const read = (dto: Dto, input: unknown, kind: 'field' | 'parameter', errors: FieldError[]): object => {
  const result = validated(dto, input, kind);
  if (result.ok) return result.value;
  errors.push(...result.errors);
  return {};
};

const isWrite = ({ method }: FastifyRequest): boolean => method === 'POST' || method === 'PATCH';

const permit = (caller: Caller, action: RouteActionOptions, writes: boolean): void => {
  if (writes) {
    requireAuthority(caller, action);
    return;
  }
  if (caller.anonymous && action.anonymous !== true) throw forbidden(`${action.action} needs a token.`);
  if (action.roles !== undefined && !hasRole(caller, ...action.roles)) {
    throw forbidden(`${action.action} is for ${action.roles.join(', ')}.`);
  }
};
