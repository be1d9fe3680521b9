import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { Desk } from './desk.js';
import { desk } from './desk.projection.js';
import { matchIndex } from './match-index.projection.js';
import { Matches } from './matches.js';
import { MatchingController } from './matching.controller.js';

@Module({ controllers: [MatchingController], providers: [Matches, Desk], exports: [Matches] })
class MatchingModule {}

/** Matches and the desk: reads other contexts' events, writes none. */
export const matchingContext: Context = {
  name: 'matching',
  module: MatchingModule,
  schemas: {},
  projections: () => [matchIndex, desk],
};
