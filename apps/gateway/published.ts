import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalMessageBus } from '#bus-local';
import { LogSigning } from '#audit';
import { DocumentStore, FileDocumentStore } from '#documents';
import { host, Opened } from '#hosting';
import { LogLineage } from '#kernel';
import { MemoryReadDatabase } from '#read-database';
import { contexts as everyContext, ROUTE_SUMMARIES } from '#services';
import { SqliteEventStore } from '#store-sqlite';
import type { Context } from '#web';
import { knownProblems, LocalIssuer, sealKeysOf, SqliteSubjectRegister } from '#web';
import type { Published } from './pages.js';

/** The interface as all services together serve it: contexts composed once, on an empty log that is gone afterwards. */
export const publish = async (contexts: readonly Context[] = everyContext): Promise<Published> => {
  const folder = mkdtempSync(join(tmpdir(), 'pledgebook-interface-'));
  try {
    const app = await Opened.orClosed((opened) => {
      const store = opened.add(SqliteEventStore.open(folder));
      const documents = opened.add(FileDocumentStore.temporary());
      return host(
        {
          contexts,
          summaries: ROUTE_SUMMARIES,
          rate: 'off',
          tick: 'manual',
          adapters: {
            store,
            lineage: LogLineage.of(store.storeId),
            bus: opened.add(new LocalMessageBus(store, ':memory:')),
            readDatabase: opened.add(new MemoryReadDatabase()),
            subjects: opened.add(SqliteSubjectRegister.inMemory()),
            seals: sealKeysOf(undefined),
            issuer: LocalIssuer.inMemory(),
            ports: [
              { provide: DocumentStore, useValue: documents },
              { provide: LogSigning, useValue: LogSigning.passing() },
            ],
          },
        },
        opened,
      );
    });
    try {
      const document = (await app.fastify.inject('/openapi.json')).json<object>();
      return { document, problems: Object.fromEntries(knownProblems()) };
    } finally {
      await app.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
