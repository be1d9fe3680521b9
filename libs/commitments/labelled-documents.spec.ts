import type { PlainValues } from './labelled-documents.js';
import { notePlain, withoutHidden } from './labelled-documents.js';

const HASH = 'a'.repeat(64);
const labelled = (label: string): object => ({ kind: 'report', title: 'A paper', sha256: HASH, label });

test('a document is left out wherever its label hides it, and nothing else is', () => {
  const view = {
    title: 'All',
    figures: [1, null, { deep: ['x'] }],
    documents: [labelled('public'), labelled('sealed'), { title: 'No label', sha256: HASH }],
    reports: [{ n: 1, by: 'agency:cavr', filed: { date: '2026-01-01', document: labelled('sealed') } }],
  };
  expect(withoutHidden(view, (label) => label === 'public')).toEqual({
    title: 'All',
    figures: [1, null, { deep: ['x'] }],
    documents: [labelled('public'), { title: 'No label', sha256: HASH }],
    reports: [{ n: 1, by: 'agency:cavr', filed: { date: '2026-01-01' } }],
  });
  expect(withoutHidden(view, () => true)).toEqual(view);
});

test('the lister is whoever the document, or the nearest object around it, names', () => {
  const asked: (string | undefined)[] = [];
  withoutHidden(
    {
      documents: [{ party: 'donor:a', ...labelled('sealed') }],
      conditions: [{ answer: { party: 'state:VUT', document: labelled('sealed') } }],
      reports: [{ by: 'agency:cavr', filed: { document: labelled('sealed') } }],
      loose: labelled('sealed'),
    },
    (_label, lister) => {
      asked.push(lister);
      return true;
    },
  );
  expect(asked).toEqual(['donor:a', 'state:VUT', 'agency:cavr', undefined]);
});

test('of views that follow each other a document is found where it first stands, however alike they are', () => {
  const plain: PlainValues = new Set();
  const lists: readonly (readonly object[])[] = [[{ n: 1 }], [{ n: 1 }, { n: 2, filed: labelled('sealed') }]];
  const [first, second] = lists.map((reports) => ({ title: 'All', reports }));
  notePlain(first!, undefined, plain);
  expect(plain).toContain(first);
  notePlain(second!, first, plain);
  expect(plain).not.toContain(second);
  notePlain([...lists[1]!, { n: 3 }], lists[1], plain);
  expect(plain.size).toBe(1);
  expect(withoutHidden(second!, () => false, plain)).toEqual({ title: 'All', reports: [{ n: 1 }, { n: 2 }] });
});
