import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Turns } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { csvLine } from '#web';
import type { AllocationPair, OfferPrice, UnmetLine } from './allocation.contract.js';
import type { ListPart, PlaceInList } from './allocation-records.js';
import { AllocationRecords } from './allocation-records.js';
import type { AllocationRun } from './allocation.js';

const FIGURE = ['measure', 'currency', 'unit', 'amount'] as const;
const COLUMNS: Readonly<Record<ListPart, readonly string[]>> = {
  pairs: ['beneficiaries', 'kind', 'donor', ...FIGURE, 'needId', 'needLine', 'offerId', 'offerLine', 'because'],
  unmet: ['beneficiaries', 'kind', ...FIGURE, 'needId', 'needLine', 'because'],
  prices: ['donor', 'per', 'low', 'high', 'basis', 'givenTheLots', 'offerId', 'offerLine', 'because'],
};

/** Rows read at a time. */
const PAGE = 200;

/** A list of an allocation's answer as a table for people: whole, and with whose each need and offer is beside its id. */
@Injectable()
export class AllocationTables {
  constructor(
    private readonly records: AllocationRecords,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {}

  /** CSV, row by row: its head, then what the caller may see of the list; no rows while the run goes on. */
  async *csv(caller: Caller, id: string, run: AllocationRun, part: ListPart): AsyncGenerator<string> {
    yield csvLine(COLUMNS[part]);
    const turns = new Turns();
    let place: PlaceInList | undefined;
    do {
      const { items, next } = await this.records.page(caller, id, run, part, PAGE, place);
      for (const item of items) {
        await turns.pass();
        yield csvLine(await this.row(part, item));
      }
      place = next;
    } while (place !== undefined);
  }

  private async row(part: ListPart, item: object): Promise<readonly string[]> {
    switch (part) {
      case 'pairs': {
        const { needId, needLine, offerId, offerLine, quantity, because } = item as AllocationPair;
        const places = [needId, String(needLine), offerId, String(offerLine)];
        return [
          ...(await this.asked(needId, needLine)),
          await this.donor(offerId),
          ...figure(quantity),
          ...places,
          because,
        ];
      }
      case 'unmet': {
        const { needId, needLine, quantity, because } = item as UnmetLine;
        return [...(await this.asked(needId, needLine)), ...figure(quantity), needId, String(needLine), because];
      }
      case 'prices': {
        const { offerId, offerLine, per, low, high, basis, givenTheLots, because } = item as OfferPrice;
        const price = [per, low, high, basis, String(givenTheLots)];
        return [await this.donor(offerId), ...price, offerId, String(offerLine), because];
      }
    }
  }

  private async asked(needId: string, needLine: number): Promise<readonly [beneficiaries: string, kind: string]> {
    const facts = await this.needs.facts(needId);
    return [facts?.beneficiaries.join(' ') ?? '', facts?.lines.find(({ line }) => line === needLine)?.kind ?? ''];
  }

  private async donor(offerId: string): Promise<string> {
    return (await this.offers.facts(offerId))?.provider ?? '';
  }
}

const figure = (quantity: Quantity): readonly string[] => [
  quantity.measure,
  quantity.measure === 'money' ? quantity.currency : '',
  quantity.measure === 'items' ? quantity.unit : '',
  quantity.measure === 'undetermined' ? '' : quantity.amount,
];
