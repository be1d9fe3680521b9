import type { Process, ProcessCommand } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { SubjectRegister } from '#web';
import { partyDecider } from '../party.js';
import type { PartyEvent } from '../party.contract.js';
import type { SubjectEvent } from './subject.contract.js';
import { subjectDecider } from './subject.js';

/**
 * Guarantees that who was erased in the log is erased in the key store, and holds no office: nobody can be that reference again, so that the
 * party would seem to be acted for. A designation recorded at the same moment is ended when its own event comes.
 */
export const subjectErasing = (keys: Pick<SubjectRegister, 'erase'>): Process => ({
  name: 'subject-erasing',
  handles: ['SubjectErased', 'DesignationRecorded'],
  async react(event, reads) {
    const id = idOfStream(event.stream);
    if (event.type === 'DesignationRecorded') {
      const { designation, holder } = event.data as Extract<PartyEvent, { type: 'DesignationRecorded' }>['data'];
      const { erased } = (await reads.load(subjectDecider, holder)).state;
      return erased === undefined ? [] : [revocation(id, designation)];
    }
    const { orderedBy, designations } = event.data as SubjectEvent['data'];
    await keys.erase([id]);
    return designations.map((designation) => revocation(orderedBy, designation));
  },
});

const revocation = (party: string, designation: string): ProcessCommand =>
  processCommand({
    decider: partyDecider,
    id: party,
    key: `revoke ${designation}`,
    command: (by) => ({ type: 'RevokeDesignation', by, designation }),
  });
