import { Readable } from 'node:stream';

/** Each item of the pages as a line of JSON, sent a page at a time. It is at most two pages ahead of its reader. */
export const ndjson = (pages: AsyncIterable<readonly object[]>): Readable =>
  Readable.from(linesOf(pages), { highWaterMark: 1 });

const linesOf = async function* (pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    // An empty text would end the stream.
    if (page.length > 0) yield page.map((item) => `${JSON.stringify(item)}\n`).join('');
  }
};
