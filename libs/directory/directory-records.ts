import { Clock } from '#kernel';
import type { Folded, RecordedEvent } from '#kernel';
import type { MandateReach, RecordKind } from '#web';
import { RecordKinds, SubjectRegister } from '#web';
import { Injectable } from '@nestjs/common';
import { ContactPoints } from './contact-points.js';
import type { Caller } from './caller.js';
import { hasRole } from './caller.js';
import type { PartyEvent } from './party.contract.js';
import type { PartyCommand, PartyRejection, PartyState } from './party.js';
import { partyDecider } from './party.js';
import type { Holders } from './party.view.js';
import {
  designationView,
  mandateView,
  partyEventFor,
  partyView,
  seesDesignations,
  seesMandate,
  seesParty,
} from './party.view.js';

export type PartyKindOfRecord = RecordKind<PartyState, PartyCommand, PartyEvent, PartyRejection>;

/** How parties are served, and the designations and mandates that stand in their streams. */
@Injectable()
export class DirectoryRecords implements PartyKindOfRecord {
  readonly decider = partyDecider;
  readonly path = '/v1/parties';

  constructor(
    private readonly subjects: SubjectRegister,
    private readonly contacts: ContactPoints,
    private readonly clock: Clock,
    kinds: RecordKinds,
  ) {
    kinds.add(this);
  }

  exists({ id }: PartyState): boolean {
    return id !== '';
  }

  sees(caller: Caller, id: string, state: PartyState): boolean {
    return seesParty(caller, id, state);
  }

  mandated(party: string): MandateReach {
    return { owners: [party], ids: [party] };
  }

  permits(caller: Caller): boolean {
    return hasRole(caller, 'coordinator');
  }

  view(caller: Caller, id: string, { state }: Folded<PartyState>): object {
    return partyView(caller, id, state);
  }

  maskEvent(caller: Caller, state: PartyState, event: RecordedEvent<PartyEvent>): Promise<object | undefined> {
    return partyEventFor(caller, state.id, state, event, this.nameOf);
  }

  /** One designation, as a record of its own within its party's stream. */
  designation(id: string): PartyKindOfRecord {
    const find = ({ designations }: PartyState): PartyState['designations'][number] | undefined =>
      designations.find(({ designation }) => designation === id);
    return {
      decider: partyDecider,
      path: '/v1/designations',
      exists: (state) => find(state) !== undefined,
      sees: (caller, party) => seesDesignations(caller, party),
      permits: (caller, _command, state) => seesDesignations(caller, state.id),
      view: (caller, party, { state }) => {
        const found = find(state);
        return found === undefined ? {} : designationView(caller, party, found, this.now(), this.holders);
      },
      maskEvent: () => undefined,
    };
  }

  /** One mandate, as a record of its own within its auditor's stream. */
  mandate(id: string): PartyKindOfRecord {
    const find = ({ mandates }: PartyState): PartyState['mandates'][number] | undefined =>
      mandates.find(({ mandate }) => mandate === id);
    return {
      decider: partyDecider,
      path: '/v1/mandates',
      exists: (state) => find(state) !== undefined,
      sees: (caller, auditor, state) => {
        const found = find(state);
        return found !== undefined && seesMandate(caller, auditor, found);
      },
      permits: (caller, _command, state) => {
        const found = find(state);
        return (
          found !== undefined && (found.sealed ? found.appointedBy === caller.party : hasRole(caller, 'coordinator'))
        );
      },
      view: (caller, auditor, { state }) => {
        const found = find(state);
        return found === undefined ? {} : mandateView(caller, auditor, found, this.now());
      },
      maskEvent: () => undefined,
    };
  }

  /** The opaque reference of the person that `issuer` calls `sub`. */
  referenceOf(issuer: string, sub: string): Promise<string> {
    return this.subjects.referenceOf({ issuer, subject: sub });
  }

  private readonly nameOf = async (reference: string): Promise<string | undefined> =>
    (await this.subjects.personBehind(reference))?.subject;

  private readonly holders: Holders = {
    nameOf: async (reference) => (this.contacts.isErased(reference) ? undefined : this.nameOf(reference)),
    contactOf: (party, designation) => this.contacts.shown(party, designation),
  };

  private now(): string {
    return this.clock.now().toISOString();
  }
}
