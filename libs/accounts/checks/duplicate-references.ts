import type { Check } from './check.js';
import { finding } from './check.js';
import type { Facts } from './facts.js';
import { push, receiptsOf, replacedReports, transfersOf, unique } from './facts.js';

interface Use {
  readonly what: 'evidence' | 'payment reference' | 'receipt reference' | 'invoice' | 'document of an account';
  readonly text: string;
  /** Two uses are one and the same thing where these are equal. */
  readonly by: string;
  readonly thing: string;
  readonly stream: string;
  readonly events: readonly string[];
}

const usesOf = (facts: Facts): readonly Use[] => {
  const uses: Use[] = [];
  const replaced = replacedReports(facts);
  for (const { stream, data, eventId } of facts.of('DeliveryReported')) {
    const corrected = facts.on(stream, 'DeliveryCorrected').filter((fact) => fact.data.n === data.n);
    const evidence = corrected.reduce((_, fact) => fact.data.evidence ?? [], data.evidence ?? []);
    for (const { sha256 } of evidence) {
      uses.push({
        what: 'evidence',
        text: sha256,
        by: '',
        thing: `${stream} delivery ${data.n}`,
        stream,
        events: [eventId, ...corrected.map((fact) => fact.eventId)],
      });
    }
  }
  for (const { stream, data, events } of transfersOf(facts)) {
    if (data.reference === undefined) continue;
    uses.push({
      what: 'payment reference',
      text: data.reference,
      by: data.from,
      thing: `${stream} transfer ${data.n}`,
      stream,
      events,
    });
  }
  for (const { stream, data, events } of receiptsOf(facts)) {
    if (data.reference === undefined) continue;
    // A transfer may arrive in parts under one reference.
    const thing = `${stream} transfer ${data.transfer}`;
    uses.push({ what: 'receipt reference', text: data.reference, by: data.party, thing, stream, events });
  }
  const pledges = new Map(facts.of('ContributionPledged').map(({ stream, data }) => [stream, data]));
  for (const { stream, data, eventId } of facts.of('ContributionPaid')) {
    if (data.reference === undefined) continue;
    const by = pledges.get(stream)?.donor ?? '';
    uses.push({
      what: 'payment reference',
      text: data.reference,
      by,
      thing: `${stream} payment ${data.n}`,
      stream,
      events: [eventId],
    });
  }
  for (const { stream, data, eventId } of facts.of('ContributionRefunded')) {
    if (data.reference === undefined) continue;
    uses.push({
      what: 'payment reference',
      text: data.reference,
      by: pledges.get(stream)?.fund ?? '',
      thing: `${stream} refund ${data.n}`,
      stream,
      events: [eventId],
    });
  }
  for (const { stream, data, eventId } of facts.of('ContributionReceived')) {
    if (data.reference === undefined) continue;
    const by = pledges.get(stream)?.fund ?? '';
    const thing = `${stream} payment ${data.payment ?? `of receipt ${data.n}`}`;
    uses.push({ what: 'receipt reference', text: data.reference, by, thing, stream, events: [eventId] });
  }
  for (const { stream, data, eventId } of facts.of('ExpenditureReported')) {
    // What a certified report replaces it repeats.
    if (replaced.has(`${stream} ${data.party} ${data.n}`)) continue;
    const of = { by: '', thing: `${stream} expenditure ${data.n} of ${data.party}`, stream, events: [eventId] };
    for (const text of data.invoices ?? []) uses.push({ what: 'invoice', text, ...of });
    if (data.document !== undefined) uses.push({ what: 'document of an account', text: data.document.sha256, ...of });
  }
  return uses;
};

/** One piece of paper that was used twice. */
export const duplicateReferences: Check = {
  name: 'duplicate-references',
  looksFor:
    'The same evidence or document of an account (by hash), payment or receipt reference of one party, or invoice, used for two different things.',
  takesDate: false,
  reads: [
    'DeliveryReported',
    'DeliveryCorrected',
    'TransferReported',
    'TransferCorrected',
    'ReceiptReported',
    'ReceiptCorrected',
    'ContributionPledged',
    'ContributionPaid',
    'ContributionReceived',
    'ContributionRefunded',
    'ExpenditureReported',
  ],
  find: (facts) => {
    const groups = new Map<string, Use[]>();
    for (const use of usesOf(facts)) push(groups, JSON.stringify([use.what, use.by, use.text]), use);
    return [...groups.values()].flatMap((uses) => {
      const things = unique(uses.map(({ thing }) => thing));
      const [first] = uses;
      if (first === undefined || things.length < 2) return [];
      return [
        finding('high', `${first.what} used twice`, `${first.text} stands for ${things.join(' and for ')}.`, {
          parties: first.by === '' ? [] : [first.by],
          records: unique(uses.map(({ stream }) => stream)),
          events: unique(uses.flatMap(({ events }) => events)),
        }),
      ];
    });
  },
};
