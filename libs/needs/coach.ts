import { isDeterminate } from '#vocabulary';
import type { NeedContent } from './need.contract.js';

export interface Quality {
  /** 0 to 100: the weights of what is there. */
  readonly score: number;
  readonly missing: readonly { readonly field: string; readonly why: string }[];
}

interface Point {
  readonly field: string;
  readonly weight: number;
  readonly there: (content: NeedContent) => boolean;
  readonly why: string;
}

/** What makes a need something to act on (practitioners' first complaint: needs too vague to act on). Weights add up to 100. */
const POINTS: readonly Point[] = [
  {
    field: 'title',
    weight: 4,
    there: ({ title }) => title.trim() !== '',
    why: 'Providers read the title first; a need is not submitted without one.',
  },
  {
    field: 'kinds',
    weight: 4,
    there: ({ kinds }) => kinds.length > 0,
    why: 'Offers are matched by kind of assistance.',
  },
  {
    field: 'instruments',
    weight: 4,
    there: ({ instruments }) => instruments.length > 0,
    why: 'Many funds may only spend on named instruments.',
  },
  {
    field: 'lines',
    weight: 4,
    there: ({ lines }) => lines.length > 0,
    why: 'Only lines can be matched, credited and confirmed.',
  },
  {
    field: 'authorityRef',
    weight: 4,
    there: ({ authorityRef }) => authorityRef !== undefined,
    why: 'Needed to submit: a provider must be able to see that the State itself asks.',
  },
  {
    field: 'problem',
    weight: 12,
    there: ({ problem }) => problem !== undefined,
    why: 'Without the problem a provider cannot judge what would solve it.',
  },
  {
    field: 'outcome',
    weight: 12,
    there: ({ outcome }) => outcome !== undefined,
    why: 'Donors report outcomes: say what will be different afterwards.',
  },
  {
    field: 'lines.quantity',
    weight: 12,
    there: ({ lines }) => lines.length > 0 && lines.every(({ quantity }) => isDeterminate(quantity)),
    why: 'A line without a quantity cannot be credited, and its coverage cannot be measured.',
  },
  {
    field: 'lines.description',
    weight: 8,
    there: ({ lines }) => lines.length > 0 && lines.every(({ description }) => description !== undefined),
    why: 'A kind alone does not say what is asked for.',
  },
  {
    field: 'period',
    weight: 8,
    there: ({ period }) => period !== undefined,
    why: 'Offers have a period; without yours the two cannot be compared.',
  },
  {
    field: 'reportRefs',
    weight: 6,
    there: ({ reportRefs }) => (reportRefs ?? []).length > 0,
    why: 'Some donors only assist what a national report names.',
  },
  {
    field: 'priorAid',
    weight: 6,
    there: ({ priorAid }) => priorAid !== undefined,
    why: 'It shows that nothing is asked twice; "none" is an answer.',
  },
  {
    field: 'ownContribution',
    weight: 4,
    there: ({ ownContribution }) => ownContribution !== undefined,
    why: 'Co-financing conditions are judged on it; "none" is an answer.',
  },
  {
    field: 'planLink',
    weight: 4,
    there: ({ planLink }) => planLink !== undefined,
    why: 'A need that is part of a national plan is sustained; "none" is an answer.',
  },
  {
    field: 'languages',
    weight: 3,
    there: ({ languages }) => (languages ?? []).length > 0,
    why: 'Trainers and manuals must be in a language the people work in.',
  },
  {
    field: 'contactOffice',
    weight: 3,
    there: ({ contactOffice }) => contactOffice !== undefined,
    why: 'Somebody must answer when a provider asks.',
  },
  {
    field: 'requestingAuthority',
    weight: 2,
    there: ({ requestingAuthority }) => requestingAuthority !== undefined,
    why: 'Providers prepare agreements with the body that will receive the aid.',
  },
];

/** How much of what providers need to act on is there, and what is missing and why it matters. */
export const qualityOf = (content: NeedContent): Quality => {
  const missing = POINTS.filter(({ there }) => !there(content));
  return {
    score: 100 - missing.reduce((sum, { weight }) => sum + weight, 0),
    missing: missing.map(({ field, why }) => ({ field, why })),
  };
};
