export { directoryContext } from './directory.module.js';
export { ErasedAgain } from './subjects/erased-again.js';
export { subjectsContext } from './subjects/subjects.module.js';
export { DirectoryRecords } from './directory-records.js';
export { FoldedCallers, sovereignOfParty } from './directory-callers.js';
export { PARTIES, partiesProjection, RegisteredNetworks } from './parties.projection.js';
export { PARTY_PROBLEMS } from './directory.problems.js';
export type { PartyCommand, PartyRejection, PartyState } from './party.js';
export { partyDecider } from './party.js';
