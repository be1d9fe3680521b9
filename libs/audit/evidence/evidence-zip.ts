import { createHash } from 'node:crypto';
import { PassThrough, type Readable, Writable } from 'node:stream';
import type { Manifest } from '#evidence/format';
import { MANIFEST } from '#evidence/format';

/** A file of a bundle, by its path from the bundle's root. */
export interface BundledFile {
  readonly path: string;
  readonly content: string | Uint8Array | AsyncIterable<string>;
}

/** The first day that a zip file can name, by every clock: when a file was packed is nothing that it proves. */
const PACKED = new Date(1980, 0, 1);

/**
 * The zip file of these files, made as fast as it is read, and of a manifest that knows them all, which comes last. The same files make
 * the same bytes. Where they fail, the stream breaks off.
 */
export const zipOf = (
  files: AsyncIterable<BundledFile>,
  manifestOf: (files: Manifest['files']) => string,
): Readable => {
  const out = new PassThrough();
  const pack = async (): Promise<void> => {
    // Half a megabyte of code, of which most processes make no use.
    const { configure, ZipWriter } = await import('@zip.js/zip.js');
    // Its workers are threads that a page in a browser has; here the streams of Node do it.
    configure({ useWebWorkers: false });
    const zip = new ZipWriter(Writable.toWeb(out), { lastModDate: PACKED, extendedTimestamp: false });
    const listed: Manifest['files'][number][] = [];
    for await (const { path, content } of files) {
      const digest = createHash('sha256');
      await zip.add(
        path,
        bytesOf(content, (bytes) => digest.update(bytes)),
      );
      listed.push({ path, sha256: digest.digest('hex') });
    }
    await zip.add(MANIFEST, bytesOf(manifestOf(listed)));
    await zip.close();
  };
  pack().catch((error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  return out;
};

const bytesOf = (content: BundledFile['content'], seen?: (bytes: Uint8Array) => void): ReadableStream<Uint8Array> =>
  ReadableStream.from(
    (async function* () {
      const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
      for await (const chunk of chunks) {
        const bytes = Buffer.from(chunk);
        seen?.(bytes);
        yield bytes;
      }
    })(),
  );
