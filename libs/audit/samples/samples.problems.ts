import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { SampleRejectionCode } from './sample.js';

const refusal = (title: string): ProblemInfo => ({ status: 409, title });

/** Status and title of every refusal of a sample. */
export const SAMPLE_PROBLEMS: Readonly<Record<SampleRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'already-drawn': refusal('The sample was drawn otherwise'),
  'nothing-to-draw': refusal('There is nothing to draw'),
  'population-too-large': refusal('The population is too large'),
});
