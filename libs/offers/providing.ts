import { Clock } from '#kernel';
import { CallerDirectory } from '#web';
import { Injectable } from '@nestjs/common';
import { deskRoleOf } from './offer.js';

/** Who may be named as a provider beside the lead: parties that could act themselves. */
@Injectable()
export class Providing {
  constructor(
    private readonly directory: CallerDirectory,
    private readonly clock: Clock,
  ) {}

  /** Those of these parties that are not registered, or were retired. States need no registration. */
  async unknownOf(providers: readonly { readonly party: string }[] = []): Promise<readonly string[]> {
    const now = this.clock.now();
    const unknown: string[] = [];
    for (const { party } of providers) {
      const role = deskRoleOf(party);
      const roles = role === undefined ? [] : [role];
      const { registered } = await this.directory.resolve({ party, roles, issuer: '', subject: '' }, now);
      if (!registered) unknown.push(party);
    }
    return unknown;
  }
}
