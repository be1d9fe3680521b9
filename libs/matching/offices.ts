import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import { Clock } from '#kernel';
import type { Role } from '#vocabulary';
import { partyKind } from '#vocabulary';
import { CallerDirectory } from '#web';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { providersOf } from './match-index.projection.js';

const OFFICE_OF: Readonly<Record<string, Role>> = {
  state: 'donor-desk',
  donor: 'donor-desk',
  fund: 'donor-desk',
  agency: 'implementer',
  network: 'network-host',
};

/** The callers that the offices of both sides would be: what one side may see of the other's record. */
@Injectable()
export class Offices {
  constructor(
    private readonly directory: CallerDirectory,
    private readonly clock: Clock,
  ) {}

  /** The same text for offers whose desks are the same. */
  desksOf(offer: IndexedOffer): string {
    return providersOf(offer).join(' ');
  }

  providers(offer: IndexedOffer): Promise<readonly Caller[]> {
    return Promise.all(providersOf(offer).map((party) => this.desk(party)));
  }

  /** The office that a party gives through. */
  desk(party: string): Promise<Caller> {
    return this.asIf(party, OFFICE_OF[partyKind(party as `donor:${string}`)] ?? 'donor-desk');
  }

  recipient({ filer }: IndexedNeed): Promise<Caller> {
    return this.asIf(filer, filer.startsWith('network:') ? 'network-host' : 'npc');
  }

  protected async asIf(party: string, role: Role): Promise<Caller> {
    if (party === '') return ANONYMOUS;
    return this.directory.resolve({ party, roles: [role], issuer: '', subject: '' }, this.clock.now());
  }
}
