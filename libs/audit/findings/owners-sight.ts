import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Clock } from '#kernel';
import type { PartyId, PartyKind, Role } from '#vocabulary';
import { OFFICES, partyKind } from '#vocabulary';
import { CallerDirectory } from '#web';

/** The office through which a party of each kind sees most. Nobody answers as an auditor. */
const OFFICES_OF: Readonly<Record<Exclude<PartyKind, 'auditor'>, readonly Role[]>> = {
  state: ['npc', 'mission', 'line-ministry', 'donor-desk'],
  authority: ['npc', 'mission', 'line-ministry', 'donor-desk'],
  donor: ['donor-desk'],
  fund: ['donor-desk'],
  agency: ['implementer', 'fiscal-agent'],
  network: ['network-host'],
};

/** Offices that answer for their party: nobody answers as an auditor. */
export const ANSWERING_ROLES: readonly Role[] = OFFICES.filter((office) => office !== 'auditor');

/** An office of the party, and not the hosting of its system. */
export const isOfficeOf = ({ anonymous, party, roles }: Caller, asked: string): boolean =>
  !anonymous && party === asked && (roles.length === 0 || roles.some((role) => ANSWERING_ROLES.includes(role)));

/** The caller that the offices of a party would be: what it sees of what it is asked to answer for. */
@Injectable()
export class OwnersSight {
  constructor(
    private readonly directory: CallerDirectory,
    private readonly clock: Clock,
  ) {}

  /** Undefined where the party is not registered, or was retired. */
  async callerFor(party: string): Promise<Caller | undefined> {
    const kind = partyKind(party as PartyId);
    if (kind === 'auditor') return undefined;
    const caller = await this.directory.resolve(
      { party, roles: OFFICES_OF[kind], issuer: '', subject: '' },
      this.clock.now(),
    );
    return caller.registered ? caller : undefined;
  }
}
