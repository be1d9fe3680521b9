import type { Caller, MandateInForce } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import { recordedEvent, specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { Role } from '#vocabulary';
import { ROLE_POWERS, VISIBILITIES } from '#vocabulary';
import type { CommitmentEvent, DocumentLink } from './commitment.contract.js';
import { commitmentDecider } from './commitment.js';
import { bound, CAVR, COORDINATOR, JAPAN, proposed, STRANGER, VANUATU } from './commitment.fixture.js';
import { commitmentEventFor, commitmentView } from './commitment.view.js';

const ID = '019b8d00-0000-7000-8000-000000000001';
const deal = { implementer: 'agency:cavr' };
const paper: DocumentLink = { kind: 'report', title: 'A paper', sha256: 'a'.repeat(64) };
const commitments = specFor(commitmentDecider);
const attach = (document: DocumentLink) => ({ type: 'AttachDocument' as const, document });
const attached = (document: DocumentLink, party: string, n = 1): CommitmentEvent => ({
  type: 'DocumentAttached',
  data: { n, party, document },
});

describe('a document beside a commitment', () => {
  it('is laid there by any party that the record names, and by the coordinator in charge', () => {
    for (const actor of [JAPAN, VANUATU, CAVR, COORDINATOR]) {
      commitments.given(proposed(deal)).when(attach(paper), { actor }).then(attached(paper, actor.party));
    }
    commitments
      .given(...bound(deal))
      .when(attach(paper), { actor: STRANGER })
      .refused('forbidden');
  });

  it('is laid there once, and anew under another title, kind, label or by another party', () => {
    const history = [...bound(deal), attached({ ...paper, label: 'named' }, 'donor:japan')];
    commitments
      .given(...history)
      .when(attach({ ...paper, label: 'named' }), { actor: JAPAN })
      .then();
    for (const other of [
      { ...paper, label: 'named', title: 'Another' },
      { ...paper, label: 'named', kind: 'other' },
      { ...paper, label: 'named', sha256: 'b'.repeat(64) },
      paper,
    ] as const)
      commitments
        .given(...history)
        .when(attach(other), { actor: JAPAN })
        .then(attached(other, 'donor:japan', 2));
    commitments
      .given(...history)
      .when(attach({ ...paper, label: 'named' }), { actor: VANUATU })
      .then(attached({ ...paper, label: 'named' }, 'state:VUT', 2));
  });
});

const caller = (party: string, role: Role, over: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles: [role],
  registered: true,
  powers: new Set(ROLE_POWERS[role]),
  ...over,
});
const mandate = (over: Partial<MandateInForce>): MandateInForce => ({
  mandate: 'm1',
  everything: true,
  parties: new Set(),
  records: new Set(),
  sealed: false,
  appointedBy: 'agency:secretariat',
  ...over,
});

/** Of those who see the commitment: which labels let whom see a document of Japan's. */
const WHO: readonly [string, Caller, readonly string[]][] = [
  ['its lister', caller('donor:japan', 'donor-desk'), ['public', 'members', 'eligible', 'named', 'sealed']],
  ['the other side', caller('state:VUT', 'npc'), ['public', 'members', 'eligible', 'named']],
  ['the implementer', caller('agency:cavr', 'implementer'), ['public', 'members', 'eligible', 'named']],
  ['the coordinator', caller('agency:secretariat', 'coordinator'), ['public', 'members', 'eligible', 'named']],
  ['another member', caller('donor:norway', 'donor-desk'), ['public', 'members', 'eligible']],
  ['anyone', ANONYMOUS, ['public']],
  ['hosting staff', caller('donor:japan', 'operator'), ['public']],
  ['an auditor without a mandate', caller('auditor:court', 'auditor'), ['public']],
  [
    'an auditor of everything',
    caller('auditor:court', 'auditor', { mandates: [mandate({})] }),
    ['public', 'members', 'eligible', 'named'],
  ],
  [
    'an auditor whom the lister opened it to',
    caller('auditor:court', 'auditor', {
      mandates: [mandate({}), mandate({ sealed: true, appointedBy: 'donor:japan' })],
    }),
    ['public', 'members', 'eligible', 'named', 'sealed'],
  ],
  [
    'an auditor whom the other side opened its own to',
    caller('auditor:court', 'auditor', { mandates: [mandate({ sealed: true, appointedBy: 'state:VUT' })] }),
    ['public'],
  ],
];

test.each(WHO)('%s sees a document by its label, in the record and in its history', (_name, who, expected) => {
  const labelled = VISIBILITIES.map((label) => ({ ...paper, title: label, label }));
  const history = [...bound(deal), ...labelled.map((document, index) => attached(document, 'donor:japan', index + 1))];
  const state = stateAfter(commitmentDecider, history);
  const view = commitmentView({ caller: who, at: TEST_TIME, label: 'public' }, ID, state) as {
    readonly documents: readonly { readonly title: string }[];
  };
  expect(view.documents.map(({ title }) => title).sort()).toEqual([...expected].sort());
  for (const document of labelled) {
    const shown = commitmentEventFor(
      who,
      ID,
      state,
      recordedEvent(`commitment-${ID}`, 9, attached(document, 'donor:japan')),
    );
    // Of one that is hidden not even that it was laid there.
    expect([document.label, shown !== undefined]).toEqual([document.label, expected.includes(document.label)]);
  }
});
