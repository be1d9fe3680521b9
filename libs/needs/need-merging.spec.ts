import { describe, expect, it } from '@jest/globals';
import type { Actor, ProcessReads } from '#kernel';
import { SYSTEM_PROCESS } from '#kernel';
import type { CommandBody, ScenarioStep } from '#kernel-testing';
import { processScenario, recordedEvent, step } from '#kernel-testing';
import { CONTENT } from './need.fixture.js';
import { needMerging } from './need-merging.process.js';
import type { NeedCommand, NeedState } from './need.js';
import { needDecider } from './need.js';

const VANUATU: Actor = { party: 'state:VUT', role: 'npc', sovereign: 'VUT' };
const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator' };

const tell = (id: string, body: CommandBody<NeedCommand>, actor = VANUATU, atOnce = false): ScenarioStep =>
  step({ decider: needDecider, id, actor, atOnce, command: (by) => ({ ...body, by }) });

const open = (id: string): readonly ScenarioStep[] => [
  tell(id, { type: 'DraftNeed', filer: 'state:VUT', beneficiaries: ['state:VUT'], content: CONTENT }),
  tell(id, { type: 'SubmitNeed', consent: { circulate: 'yes', publish: 'yes' } }),
  tell(id, { type: 'OpenNeed' }, COORDINATOR),
];
/** Whoever merges has seen the survivor open: it may have closed since. */
const merge = (id: string, into: string, atOnce = false): ScenarioStep => {
  const survivor = { status: 'open', beneficiaries: ['state:VUT'], principal: 'state:VUT' } as const;
  return tell(id, { type: 'MergeNeed', into, survivor }, VANUATU, atOnce);
};
const part = (id: string): ScenarioStep => tell(id, { type: 'UnmergeNeed' });

type Standing = Readonly<Record<string, string>>;
const run = async (...steps: readonly ScenarioStep[]): Promise<Standing> => {
  const standing = (states: Readonly<Record<string, unknown>>): Standing =>
    Object.fromEntries(
      Object.entries(states).map(([stream, state]) => {
        const { supersededBy, absorbed } = state as NeedState;
        return [stream, `${supersededBy === undefined ? '' : `in ${supersededBy} `}with [${absorbed.join()}]`];
      }),
    );
  const begin = [...open('a'), ...open('b'), ...open('c')];
  return standing(await processScenario([needMerging], [needDecider], [...begin, ...steps], { compare: standing }));
};

describe('need merging', () => {
  it('has the survivor name what it absorbed, until that is given back', async () => {
    expect(await run(merge('a', 'b'))).toEqual({ 'need-a': 'in b with []', 'need-b': 'with [a]', 'need-c': 'with []' });
    expect(await run(merge('a', 'b'), part('a'))).toMatchObject({ 'need-a': 'with []', 'need-b': 'with []' });
    expect(await run(merge('a', 'b', true), merge('b', 'c'))).toMatchObject({ 'need-c': 'with [b]' });
  });

  it('gives back what was merged into a need that has closed', async () => {
    const refused = [merge('b', 'c'), merge('a', 'b')];
    expect(await run(...refused)).toMatchObject({ 'need-a': 'with []', 'need-b': 'in c with []' });
    expect(await run(...refused, part('b'))).toEqual({ 'need-a': 'with []', 'need-b': 'with []', 'need-c': 'with []' });
  });

  it('tells a survivor how the other need stands, whatever it was that is told again', async () => {
    const asOf = (supersededBy: object): ProcessReads =>
      ({
        load: () => Promise.resolve({ state: { ...needDecider.initial, ...supersededBy } }),
      }) as unknown as ProcessReads;
    const superseded = recordedEvent('need-a', 3, { type: 'NeedSuperseded', data: { into: 'b' } });
    const parted = recordedEvent('need-a', 4, { type: 'NeedUnmerged', data: { other: 'b', as: 'absorbed' } });
    for (const told of [superseded, parted]) {
      expect(await needMerging.react(told, asOf({ supersededBy: 'b' }))).toMatchObject([{ id: 'b', key: 'merge' }]);
      expect(await needMerging.react(told, asOf({}))).toMatchObject([{ id: 'b', key: 'unmerge' }]);
      expect(await needMerging.react(told, asOf({ supersededBy: 'c' }))).toMatchObject([{ id: 'b', key: 'unmerge' }]);
    }
  });

  it('has a survivor put right what it wrote of a merge after that was told of late', async () => {
    const late = tell('b', { type: 'RecordMerge', absorbed: 'a' }, SYSTEM_PROCESS);
    expect(await run(late)).toMatchObject({ 'need-a': 'with []', 'need-b': 'with []' });
    const gone = tell('b', { type: 'RecordUnmerge', absorbed: 'a' }, SYSTEM_PROCESS);
    expect(await run(merge('a', 'b'), gone)).toMatchObject({ 'need-a': 'in b with []', 'need-b': 'with [a]' });
  });
});
