import { rangeOf } from './byte-range.js';

test.each([
  [undefined, undefined],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-9', { start: 0, end: 9 }],
  ['Bytes=3-', { start: 3, end: 9 }],
  ['bytes=3-99', { start: 3, end: 9 }],
  ['bytes=-4', { start: 6, end: 9 }],
  ['bytes=-40', { start: 0, end: 9 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  // What is not one range of bytes is ignored, and the whole file sent.
  ['bytes=5-3', undefined],
  ['bytes=0-1,4-5', undefined],
  ['bytes=', undefined],
  ['bytes=-', undefined],
  ['bytes=a-b', undefined],
  ['pages=1-2', undefined],
])('%s of ten bytes', (header, expected) => {
  expect(rangeOf(header, 10)).toEqual(expected);
});
