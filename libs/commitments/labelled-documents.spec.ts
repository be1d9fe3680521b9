import { withoutHidden } from './labelled-documents.js';

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
