import { type Fetch, Refusal } from '#evidence';

/** A tile has 8,192 bytes, a checkpoint less than this. */
const MAX_BYTES = 2 ** 20;
const PATIENCE_MS = 30_000;

/** Fetches what a server hands out below `/log/`. @param url the server's address, with or without a slash at its end */
export const fetchFrom =
  (url: string): Fetch =>
  async (path) => {
    const address = `${url.replace(/\/+$/, '')}/log/${path}`;
    try {
      const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MS) });
      if (response.status !== 200) throw new Refusal(`the server answers ${response.status}`, address);
      return await contentOf(response, address);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const { message, cause } = error as Error;
      const why = cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message;
      throw new Refusal(`the server cannot be asked (${why})`, address);
    }
  };

const contentOf = async ({ body }: Response, address: string): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Refusal(`the answer has more than ${MAX_BYTES} bytes`, address);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
