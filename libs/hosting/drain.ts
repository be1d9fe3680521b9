import type { FastifyInstance } from 'fastify';

/** Requests under way get this long to finish when the service stops. */
const DRAIN_MS = 8_000;
/** Connections without a request get this long to read what they were answered. */
const QUIET_MS = 250;
const LOOK_MS = 50;

/**
 * Lets go of connections while a server stops. Node closes those that are idle at that moment only: one that becomes idle later, or
 * never sent a request, would be waited for until its client gives up.
 */
export class Drain {
  private underWay = 0;

  constructor(private readonly fastify: FastifyInstance) {
    fastify.addHook('onRequest', (_request, reply, done) => {
      this.underWay += 1;
      reply.raw.once('close', () => {
        this.underWay -= 1;
      });
      done();
    });
  }

  /** Runs `stop`, which resolves when every connection is closed, and sees to it that they close. */
  async during(stop: () => Promise<void>): Promise<void> {
    const { server } = this.fastify;
    const begun = Date.now();
    let busyAt = begun;
    const timer = setInterval(() => {
      const now = Date.now();
      if (this.underWay > 0) busyAt = now;
      if (now - busyAt >= QUIET_MS || now - begun >= DRAIN_MS) server.closeAllConnections();
      else server.closeIdleConnections();
    }, LOOK_MS);
    try {
      await stop();
    } finally {
      clearInterval(timer);
    }
  }
}
