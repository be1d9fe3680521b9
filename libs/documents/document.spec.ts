import type { Actor } from '#kernel';
import { recordedEvent, specFor } from '#kernel-testing';
import { documentDecider } from './document.js';

const documents = specFor(documentDecider);
const VANUATU: Actor = { party: 'state:VUT', role: 'npc' };
const JAPAN: Actor = { party: 'donor:japan', role: 'donor-desk' };
const file = { sha256: 'a'.repeat(64), size: 10, mediaType: 'text/plain' };
const store = { type: 'StoreDocument', ...file } as const;
const stored = (party: string, more: object = {}) =>
  ({ type: 'DocumentStored', data: { ...file, ...more, party } }) as const;

describe('a document', () => {
  it('is stored once by each party that brings it', () => {
    documents
      .given()
      .when({ ...store, name: 'a.txt' }, { actor: VANUATU })
      .then(stored('state:VUT', { name: 'a.txt' }));
    documents.given(stored('state:VUT')).when(store, { actor: VANUATU }).then();
    documents.given(stored('state:VUT')).when(store, { actor: JAPAN }).then(stored('donor:japan'));
  });

  it('is not brought by whoever runs the system', () => {
    documents
      .given()
      .when(store, { actor: { party: 'agency:hosting', role: 'operator' } })
      .refused('forbidden');
  });

  it('keeps what each holder calls it, and ignores what it does not know', () => {
    const state = documentDecider.evolve(
      documentDecider.initial,
      recordedEvent('document-a', 0, stored('state:VUT', { name: 'a.txt' })),
    );
    expect(state).toEqual({ size: 10, holders: new Map([['state:VUT', { mediaType: 'text/plain', name: 'a.txt' }]]) });
    const later = {
      ...recordedEvent('document-a', 1, stored('donor:japan')),
      type: 'DocumentMoved' as 'DocumentStored',
    };
    expect(documentDecider.evolve(state, later)).toBe(state);
  });
});
