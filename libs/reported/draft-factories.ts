import type { DraftFactory } from './reported.contract.js';

/** The contexts that draft what is claimed, as the app composes them. */
export class DraftFactories {
  constructor(readonly all: readonly DraftFactory[]) {}
}
