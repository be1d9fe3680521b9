import type { Process, ProcessCommand } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { NeedEvent } from './need.contract.js';
import { needDecider } from './need.js';

type Told = Extract<NeedEvent, { type: 'NeedSuperseded' | 'NeedUnmerged' | 'NeedsMerged' }>;

/** Which need took in which, as far as the event is about. */
const pairOf = (id: string, fact: Told): { readonly survivor: string; readonly absorbed: string } => {
  switch (fact.type) {
    case 'NeedSuperseded':
      return { survivor: fact.data.into, absorbed: id };
    case 'NeedsMerged':
      return { survivor: id, absorbed: fact.data.absorbed };
    case 'NeedUnmerged':
      return fact.data.as === 'survivor'
        ? { survivor: id, absorbed: fact.data.other }
        : { survivor: fact.data.other, absorbed: id };
  }
};

/**
 * Guarantees that a survivor names what it absorbed as long as it does. A survivor that closed while it was told gives the other need back: merges
 * that cross each other end with one of them, or with none. Every event, also one that the survivor itself wrote, leads to a look at how
 * the absorbed need stands now: what was told late or again never outlasts what is true.
 */
export const needMerging: Process = {
  name: 'need-merging',
  handles: ['NeedSuperseded', 'NeedUnmerged', 'NeedsMerged'],
  async react(event, reads): Promise<readonly ProcessCommand[]> {
    // The envelope keeps type and data apart; together they are one of the need's events.
    const { survivor, absorbed } = pairOf(idOfStream(event.stream), event as unknown as Told);
    const { supersededBy } = (await reads.load(needDecider, absorbed)).state;
    if (supersededBy !== survivor) {
      return [
        processCommand({
          decider: needDecider,
          id: survivor,
          key: 'unmerge',
          command: (by) => ({ type: 'RecordUnmerge', by, absorbed }),
        }),
      ];
    }
    return [
      processCommand({
        decider: needDecider,
        id: survivor,
        key: 'merge',
        command: (by) => ({ type: 'RecordMerge', by, absorbed }),
        refused: () => [
          processCommand({
            decider: needDecider,
            id: absorbed,
            key: 'undo',
            command: (by) => ({ type: 'UndoMerge', by, into: survivor }),
          }),
        ],
      }),
    ];
  },
};
