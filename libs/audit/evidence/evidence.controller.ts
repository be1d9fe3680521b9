import { Controller, Get, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Ctx, notFound, ReadNotes, type RequestContext, RouteAction, type RouteActionOptions, uuidOf } from '#web';
import { behind, Checkpoints } from '../signed-log/checkpoints.js';
import { LOG_PROBLEMS } from '../signed-log/log.problems.js';
import { LogTree } from '../signed-log/log-tree.js';
import { Evidence, type EvidencedKind } from './evidence.js';
import { zipOf } from './evidence-zip.js';

const ZIP = 'application/zip';

const actionOf = (kind: EvidencedKind): RouteActionOptions => ({
  action: `${kind}.evidence`,
  anonymous: true,
  problems: LOG_PROBLEMS,
  produces: [ZIP],
});

/** What a record's history shows, as a file that verifies without this service. */
@ApiTags('audit')
@Controller('v1')
export class EvidenceController {
  constructor(
    private readonly checkpoints: Checkpoints,
    private readonly tree: LogTree,
    private readonly evidence: Evidence,
    private readonly notes: ReadNotes,
  ) {}

  @Get('needs/:id/evidence')
  @RouteAction(actionOf('need'))
  need(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.bundle(ctx, 'need', id, reply);
  }

  @Get('offers/:id/evidence')
  @RouteAction(actionOf('offer'))
  offer(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.bundle(ctx, 'offer', id, reply);
  }

  @Get('commitments/:id/evidence')
  @RouteAction(actionOf('commitment'))
  commitment(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.bundle(ctx, 'commitment', id, reply);
  }

  private async bundle(
    ctx: RequestContext,
    kind: EvidencedKind,
    given: string,
    reply: FastifyReply,
  ): Promise<StreamableFile> {
    const id = uuidOf(given);
    const revision = await this.evidence.revisionOf(kind, id);
    const signed = await this.checkpoints.forRequest(ctx);
    // A tree that is built anew has not come to what was signed.
    if (signed.size > this.tree.size) throw behind();
    const evidence = await this.evidence.of(ctx.caller, kind, id, signed, revision);
    if (evidence === undefined) throw notFound();
    this.notes.noteStreams(
      ctx,
      evidence.streams.map(({ stream }) => stream),
    );
    const zip = zipOf(this.evidence.files(ctx.caller, evidence), (files) => this.evidence.manifest(evidence, files));
    reply.header('content-disposition', `attachment; filename="${kind}-${id}.evidence.zip"`);
    return new StreamableFile(zip, { type: ZIP });
  }
}
