import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';

/**
 * Text that may be long. Not files, whose bytes, length and ranges are those that lie on disk; not the log's tiles, which are hashes; not
 * events that are waited for one by one.
 */
const IS_COMPRESSED =
  /^(?:application\/(?:[a-z.+-]*\+)?json|application\/x-ndjson|text\/(?:csv|html|javascript))(?:;|$)/;

/** Bytes; what is shorter goes in a few packets either way. */
const WORTH_IT = 4_096;

/** Has text answered in gzip to whoever accepts that: a list of needs takes a tenth of the time on a slow line. Before any route is added. */
export const installCompression = async (fastify: FastifyInstance): Promise<void> => {
  await fastify.register(compress, {
    encodings: ['gzip', 'identity'],
    threshold: WORTH_IT,
    customTypes: IS_COMPRESSED,
    // What is sent to us is read as it comes: a small body must not become a large one.
    globalDecompression: false,
  });
};
