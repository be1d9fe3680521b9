import type { Context } from '#web';
import { Module } from '@nestjs/common';
import { PARTIES } from '../parties.projection.js';
import { ErasedAgain } from './erased-again.js';
import { subjectDecider } from './subject.js';
import { subjectErasing } from './subject-erasing.process.js';
import { SubjectRecords } from './subject-records.js';
import { SubjectsController } from './subjects.controller.js';

@Module({ providers: [SubjectRecords] })
class SubjectsModule {}

/** The people behind designations, as far as the log knows them, and their erasure. */
export const subjectsContext: Context = {
  name: 'subjects',
  module: SubjectsModule,
  controllers: [SubjectsController],
  forRoutes: [ErasedAgain],
  streams: { [subjectDecider.category]: subjectDecider.schemas },
  reads: { sight: [PARTIES], routes: [PARTIES], work: [] },
  processes: (_deps, keys) => [subjectErasing(keys)],
};
