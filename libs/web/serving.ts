import { randomBytes } from 'node:crypto';
import { type INestApplication, RequestMethod, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { KeyRing } from './key-ring.js';
import type { RouteActionOptions } from './route-action.js';
import { ROUTE_ACTION } from './route-action.js';

const KEY_BYTES = 32;

/** The file that holds them. */
const SEALS_KEY = 'seals.key';

const SEALS = {
  make: () => randomBytes(KEY_BYTES).toString('hex'),
  // A client may page on, or send a token with a read, this long after the key was replaced.
  keepMs: 12 * 60 * 60 * 1000,
};

/** The keys that cursors and consistency tokens are sealed with: of the data folder, or of this process alone. */
export const sealKeysOf = (dataFolder: string | undefined): KeyRing =>
  dataFolder === undefined ? KeyRing.inMemory(SEALS) : KeyRing.open(dataFolder, SEALS_KEY, SEALS);

/** The same where they are configured, as hexadecimal texts: the first seals, what any of them sealed is accepted. */
export const configuredSeals = (keys: readonly string[]): KeyRing => KeyRing.configured(SEALS, keys);

/** The same of a folder of keys that several processes read; undefined where it holds none. */
export const sharedSeals = (folder: string): KeyRing | undefined => KeyRing.shared(folder, SEALS_KEY, SEALS);

/** A route as a class declares it. */
export interface DeclaredRoute {
  readonly controller: string;
  readonly handler: string;
  /** Its name in the interface's document. */
  readonly operationId: string;
  /** Such as `GET`. */
  readonly method: string;
  /** From the root, such as `/v1/needs/:id`. */
  readonly path: string;
  /** Undefined where the route does not declare one. */
  readonly action: RouteActionOptions | undefined;
}

/** Clients name operations after these ids: a part of a controller that is served apart (`NeedsControllerHistory`) keeps them. */
export const operationIdOf = (controller: string, handler: string): string =>
  `${controller.replace(/(?<=Controller)[A-Z]\w*$/, '')}_${handler}`;

/** The routes of one controller. */
export const routesOf = (controller: Type): readonly DeclaredRoute[] => {
  const prototype = controller.prototype as Record<string, object>;
  const base = (Reflect.getMetadata(PATH_METADATA, controller) as string | undefined) ?? '';
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((handler) => {
    const target = prototype[handler] ?? {};
    const method = Reflect.getMetadata(METHOD_METADATA, target) as RequestMethod | undefined;
    if (method === undefined) return [];
    const own = Reflect.getMetadata(PATH_METADATA, target) as string;
    const path = [base, own]
      .flatMap((part) => part.split('/'))
      .filter((part) => part !== '')
      .map(named);
    return [
      {
        controller: controller.name,
        handler,
        operationId: operationIdOf(controller.name, handler),
        method: RequestMethod[method],
        path: `/${path.join('/')}`,
        action: Reflect.getMetadata(ROUTE_ACTION, target) as RouteActionOptions | undefined,
      },
    ];
  });
};

/** What is left of an address has the name that the interface's document gives it. */
const named = (part: string): string => (part === '*' ? ':path' : part);

/** Every route of the app's controllers. */
export const declaredRoutes = (app: INestApplication): readonly DeclaredRoute[] =>
  app
    .get(DiscoveryService, { strict: false })
    .getControllers()
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? routesOf(metatype as Type) : []));

/** Refuses to serve a route that does not say what it does: what is not declared is denied. */
export const requireActions = (app: INestApplication): void => {
  const silent = declaredRoutes(app).filter(({ action }) => action === undefined);
  if (silent.length > 0) {
    throw new Error(
      `routes without an action: ${silent.map(({ controller, handler }) => `${controller}.${handler}`).join(', ')}`,
    );
  }
};
