import { ratesDecider } from '#accounts';
import type { Category } from '#bus-kafka';
import { commitmentsContext } from '#commitments';
import { directoryContext } from '#directory';
import { documentsContext } from '#documents';
import { callDecider, contributionDecider, fundDecider } from '#funds';
import { needsContext } from '#needs';
import { offersContext } from '#offers';
import { reportedContext } from '#reported';

const typesOf = ({ schemas }: { readonly schemas: Readonly<Record<string, number>> }): readonly string[] =>
  Object.keys(schemas);

/** Every category of streams with the types of its events: each has topics of its own on Kafka. */
export const categories: readonly Category[] = [
  { name: 'party', types: typesOf(directoryContext) },
  { name: 'need', types: typesOf(needsContext) },
  { name: 'offer', types: typesOf(offersContext) },
  { name: 'commitment', types: typesOf(commitmentsContext) },
  { name: 'fund', types: typesOf(fundDecider) },
  { name: 'contribution', types: typesOf(contributionDecider) },
  { name: 'call', types: typesOf(callDecider) },
  { name: 'reported', types: typesOf(reportedContext([])) },
  { name: 'rates', types: typesOf(ratesDecider) },
  { name: 'document', types: typesOf(documentsContext) },
];
