import { Controller, Get, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { parseTilePath, type TileName, TlogRefusal } from '#tlog';
import { Ctx, notFound, type RequestContext, RouteAction } from '#web';
import { LOG_PROBLEMS } from './log.problems.js';
import { Checkpoints } from './checkpoints.js';
import { keyLines } from './key-history.js';
import { LogKeyring } from './log-keyring.js';
import { LogSigning } from './log-signing.js';
import { LogTree } from './log-tree.js';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
/** A tile of a width holds the same for ever. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** The log as anyone may verify it: hashes of events and how they hang together, nothing of whom or what they are about. */
@ApiTags('log')
@Controller('log')
export class LogController {
  constructor(
    private readonly checkpoints: Checkpoints,
    private readonly tree: LogTree,
    private readonly signing: LogSigning,
    private readonly keyring: LogKeyring,
  ) {}

  @Get('checkpoint')
  @RouteAction({ action: 'log.checkpoint', anonymous: true, problems: LOG_PROBLEMS, produces: ['text/plain'] })
  async checkpoint(
    @Ctx() ctx: RequestContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { note } = await this.checkpoints.forRequest(ctx);
    reply.header('cache-control', 'no-cache');
    return textOf(note);
  }

  @Get('verifier-key')
  @RouteAction({ action: 'log.verifier-key', anonymous: true, produces: ['text/plain'] })
  verifierKey(@Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    reply.header('cache-control', 'no-cache');
    return textOf(`${this.signing.signer.verifier.toString()}\n`);
  }

  /** Every key the log had, one a line, the one in use first: verifier key, the first and the last size that it signs (`-` while it does). */
  @Get('verifier-keys')
  @RouteAction({ action: 'log.verifier-keys', anonymous: true, produces: ['text/plain'] })
  async verifierKeys(@Res({ passthrough: true }) reply: FastifyReply): Promise<StreamableFile> {
    reply.header('cache-control', 'no-cache');
    return textOf(keyLines(await this.keyring.history()));
  }

  @Get('tile/entries/*')
  @RouteAction({ action: 'log.entries', anonymous: true, problems: LOG_PROBLEMS, produces: [BYTES] })
  entries(
    @Ctx() ctx: RequestContext,
    @Param('*') path: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.tile(ctx, 'entries', path, reply);
  }

  @Get('tile/:level/*')
  @RouteAction({ action: 'log.tile', anonymous: true, problems: LOG_PROBLEMS, produces: [BYTES] })
  async tile(
    @Ctx() ctx: RequestContext,
    @Param('level') level: string,
    @Param('*') path: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const name = tileNamed(`tile/${level}/${path}`);
    let bytes = this.tree.bytesOf(name, (await this.checkpoints.forRequest(ctx)).size);
    if (bytes === undefined) {
      // Another instance may have signed further, and answered with that.
      await this.checkpoints.look();
      bytes = this.tree.bytesOf(name, (await this.checkpoints.forRequest(ctx)).size);
    }
    if (bytes === undefined) throw notFound();
    reply.header('cache-control', FOR_EVER);
    return new StreamableFile(bytes, { type: BYTES });
  }
}

const textOf = (text: string): StreamableFile => new StreamableFile(Buffer.from(text), { type: TEXT });

/** An address that no tile can have is that of nothing. */
const tileNamed = (path: string): TileName => {
  try {
    return parseTilePath(path);
  } catch (error) {
    throw error instanceof TlogRefusal ? notFound() : error;
  }
};
