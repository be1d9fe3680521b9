import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Turns } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import { Problem } from '#web';
import { Offices } from '../offices.js';
import type { AllocationPair, SharedLine } from './allocation.contract.js';

/** What names a pair of a run. */
export type PairName = Pick<AllocationPair, 'needId' | 'needLine' | 'offerId' | 'offerLine'>;

/**
 * Which pairs of a run a desk may be told: those of an offer that it may propose from (it is one of its providers), with a need whose
 * lines it sees now; and of these what the coordinator still sees itself. Never why the solver chose them: that was reckoned with more.
 */
@Injectable()
export class AllocationSharing {
  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly offices: Offices,
  ) {}

  /**
   * Lines of `pairs`, in their order and numbered by it; all that may be told, or those `named`.
   * @throws {Problem} 409 `unknown-pair` for a name that is no pair of the run, 409 `not-of-party` for one that the party may not be told
   */
  async lines(
    coordinator: Caller,
    party: string,
    pairs: AsyncIterable<AllocationPair>,
    named?: readonly PairName[],
  ): Promise<readonly SharedLine[]> {
    const wanted = named === undefined ? undefined : new Map(named.map((pair, at) => [nameOf(pair), at]));
    const sight = new SharedSight(this.needs, this.offers, coordinator, await this.offices.desk(party));
    const turns = new Turns();
    const lines: SharedLine[] = [];
    let n = -1;
    for await (const pair of pairs) {
      await turns.pass();
      n += 1;
      const at = wanted?.get(nameOf(pair));
      if (wanted !== undefined && at === undefined) continue;
      const isOfDesk = await sight.isOfDesk(pair);
      // What the coordinator sees no more is no pair to it.
      if ((!isOfDesk && at === undefined) || !(await sight.isKnown(pair))) continue;
      if (!isOfDesk) {
        throw refused('not-of-party', `pairs[${at}]`, `is of no offer of ${party}, or of a need that it does not see`);
      }
      lines.push(lineOf(n, pair));
      wanted?.delete(nameOf(pair));
    }
    const [missed] = wanted?.values() ?? [];
    if (missed === undefined) return lines;
    throw refused('unknown-pair', `pairs[${missed}]`, 'is no pair of this run: name one as …/pairs shows it');
  }
}

const nameOf = ({ needId, needLine, offerId, offerLine }: PairName): string =>
  `${needId} ${needLine} ${offerId} ${offerLine}`;

const lineOf = (n: number, { needId, needLine, offerId, offerLine, quantity }: AllocationPair): SharedLine => ({
  ...{ n, needId, needLine, offerId, offerLine, quantity },
});

const refused = (code: string, field: string, message: string): Problem =>
  Problem.of(code, `${field} ${message}.`, { errors: [{ field, message }] });

/** What coordinator and desk see of the records of a run, each asked for once. */
class SharedSight {
  private readonly known = new Map<string, Promise<boolean>>();

  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly coordinator: Caller,
    private readonly desk: Caller,
  ) {}

  /** The coordinator sees both records. */
  async isKnown({ needId, offerId }: PairName): Promise<boolean> {
    return (
      (await this.once(`offer ${offerId}`, () => this.offers.sees(offerId, this.coordinator))) &&
      (await this.once(`need ${needId}`, async () => (await this.needs.sight(needId, this.coordinator)).body))
    );
  }

  /** The desk gives of the offer and sees the need's lines. */
  async isOfDesk({ needId, offerId }: PairName): Promise<boolean> {
    const { desk } = this;
    return (
      (await this.once(
        `giving ${offerId}`,
        async () => (await this.offers.facts(offerId))?.providers.includes(desk.party) === true,
      )) && (await this.once(`asking ${needId}`, async () => (await this.needs.sight(needId, desk)).body))
    );
  }

  private once(key: string, ask: () => Promise<boolean>): Promise<boolean> {
    const known = this.known.get(key) ?? ask();
    this.known.set(key, known);
    return known;
  }
}
