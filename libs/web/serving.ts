import { randomBytes } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { METHOD_METADATA } from '@nestjs/common/constants';
import { KeyRing } from './key-ring.js';
import type { RouteActionOptions } from './route-action.js';
import { ROUTE_ACTION } from './route-action.js';

const KEY_BYTES = 32;

const SEALS = {
  make: () => randomBytes(KEY_BYTES).toString('hex'),
  // A client may page on, or send a token with a read, this long after the key was replaced.
  keepMs: 12 * 60 * 60 * 1000,
};

/** The keys that cursors and consistency tokens are sealed with: of the data folder, or of this process alone. */
export const sealKeysOf = (dataFolder: string | undefined): KeyRing =>
  dataFolder === undefined ? KeyRing.inMemory(SEALS) : KeyRing.open(dataFolder, 'seals.key', SEALS);

/** A route as a class declares it. */
export interface DeclaredRoute {
  readonly controller: string;
  readonly handler: string;
  /** Undefined where the route does not declare one. */
  readonly action: RouteActionOptions | undefined;
}

/** Every route of the app's controllers. */
export const declaredRoutes = (app: INestApplication): readonly DeclaredRoute[] => {
  const scanner = new MetadataScanner();
  return app
    .get(DiscoveryService, { strict: false })
    .getControllers()
    .flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Record<string, object>;
      return scanner
        .getAllMethodNames(prototype)
        .filter((name) => Reflect.hasMetadata(METHOD_METADATA, prototype[name] ?? {}))
        .map((handler) => ({
          controller: metatype.name,
          handler,
          action: Reflect.getMetadata(ROUTE_ACTION, prototype[handler] ?? {}) as RouteActionOptions | undefined,
        }));
    });
};

/** Refuses to serve a route that does not say what it does: what is not declared is denied. */
export const requireActions = (app: INestApplication): void => {
  const silent = declaredRoutes(app).filter(({ action }) => action === undefined);
  if (silent.length > 0) {
    throw new Error(
      `routes without an action: ${silent.map(({ controller, handler }) => `${controller}.${handler}`).join(', ')}`,
    );
  }
};
