import type { Process, ProcessCommand } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { NeedEvent } from './need.contract.js';
import { needDecider } from './need.js';

type Told = Extract<NeedEvent, { type: 'NeedSuperseded' | 'NeedUnmerged' }>;

/**
 * Guarantees that a survivor names what it absorbed as long as it does. A survivor that closed while it was told gives the other need back: merges
 * that cross each other end with one of them, or with none.
 */
export const needMerging: Process = {
  name: 'need-merging',
  handles: ['NeedSuperseded', 'NeedUnmerged'],
  react(event): readonly ProcessCommand[] {
    const absorbed = idOfStream(event.stream);
    // The envelope keeps type and data apart; together they are one of the need's events.
    const fact = event as unknown as Told;
    if (fact.type === 'NeedUnmerged') {
      if (fact.data.as === 'survivor') return [];
      return [
        processCommand({
          decider: needDecider,
          id: fact.data.other,
          key: 'unmerge',
          command: (by) => ({ type: 'RecordUnmerge', by, absorbed }),
        }),
      ];
    }
    const { into } = fact.data;
    return [
      processCommand({
        decider: needDecider,
        id: into,
        key: 'merge',
        command: (by) => ({ type: 'RecordMerge', by, absorbed }),
        refused: () => [
          processCommand({
            decider: needDecider,
            id: absorbed,
            key: 'undo',
            command: (by) => ({ type: 'UndoMerge', by, into }),
          }),
        ],
      }),
    ];
  },
};
