import type { Type } from '@nestjs/common';
import type { Share } from '#hosting';
import type { Context } from '#web';
import { routesOf } from '#web';
import { serviceOf } from './route-table.js';

/** What one app runs of the contexts, with the names it goes by. */
export interface ServiceShare extends Share {
  readonly readModels: ReadonlySet<string>;
}

/**
 * What the app `service` runs: the controllers whose routes the table gives it, the processes and deadlines of contexts whose own
 * routes are its, and the read models that these ask for.
 * @throws where the table splits a controller, names no app for a route, or a context asks for what there is not
 */
export const shareOf = <Name extends string>(
  service: Name,
  table: Readonly<Record<Name, readonly string[]>>,
  contexts: readonly Context[],
): ServiceShare => {
  const served = (controllers: readonly Type[] = []): readonly Type[] =>
    controllers.filter((controller) => ownerOf(table, controller) === service);
  const controllers = new Set<Type>();
  const working = new Set<string>();
  const asked: string[] = [];
  for (const context of contexts) {
    const own = served(context.controllers);
    const histories = served(context.history);
    for (const controller of [...own, ...histories]) controllers.add(controller);
    if (own.length > 0) {
      working.add(context.name);
      asked.push(...partsOf(context, 'routes'), ...partsOf(context, 'work'));
    }
    if (histories.length > 0) asked.push(...partsOf(context, 'history'));
  }
  const readModels = new Set(readModelsBehind(asked, contexts));
  return {
    readModels,
    serves: (controller) => controllers.has(controller),
    works: (context) => working.has(context),
    // A context that does not say what asks for what keeps all its read models where it works.
    keeps: (projection, { name, reads }) => readModels.has(projection) || (reads === undefined && working.has(name)),
  };
};

/** What the relay runs: no route and no work; the read models that histories ask, by which it judges what partners may read. */
export const relayShare = (contexts: readonly Context[]): ServiceShare => {
  const readModels = new Set(
    readModelsBehind(
      contexts.flatMap((context) => partsOf(context, 'history')),
      contexts,
    ),
  );
  return { readModels, serves: () => false, works: () => false, keeps: (projection) => readModels.has(projection) };
};

const partsOf = ({ reads }: Context, part: string): readonly string[] => reads?.[part] ?? [];

const ownerOf = <Name extends string>(
  table: Readonly<Record<Name, readonly string[]>>,
  controller: Type,
): Name | undefined => {
  const owners = new Set(routesOf(controller).map(({ path }) => serviceOf(table, path)));
  const [owner, ...others] = owners;
  if (others.length > 0)
    throw new Error(`the route table splits ${controller.name} between ${[...owners].join(' and ')}`);
  if (owner === undefined) throw new Error(`the route table names no app for ${controller.name}`);
  return owner;
};

/** Follows what parts of contexts ask of other parts until only read models are left. Of contexts that are not composed nothing is asked. */
const readModelsBehind = (asked: readonly string[], contexts: readonly Context[]): readonly string[] => {
  const byName = new Map(contexts.map((context) => [context.name, context]));
  const seen = new Set<string>();
  const open = [...asked];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const [name = '', part] = next.split('.');
    if (part === undefined) continue;
    const context = byName.get(name);
    const behind = context?.reads?.[part];
    if (context !== undefined && behind === undefined) throw new Error(`context ${name} says nothing of ${next}`);
    open.push(...(behind ?? []));
  }
  return [...seen].filter((each) => !each.includes('.'));
};
