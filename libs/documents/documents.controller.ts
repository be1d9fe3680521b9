import { Body, Controller, Get, Head, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StoreUnavailableError, Transactor } from '#kernel';
import type { Role } from '#vocabulary';
import { isSha256 } from '#vocabulary';
import type { RequestContext } from '#web';
import {
  actorOf,
  CHUNK_TYPE,
  ConsistencyTokens,
  Ctx,
  HttpAnswer,
  invalid,
  notFound,
  Problem,
  ReadGate,
  ReadNotes,
  RouteAction,
} from '#web';
import { rangeOf } from './byte-range.js';
import { DeclareDocumentDto } from './document.dto.js';
import { documentDecider } from './document.js';
import { DOCUMENT_LINKS } from './document-links.projection.js';
import { DocumentRecords } from './document-records.js';
import { DocumentStore } from './document-store.js';
import type { UploadProgress } from './document-uploads.js';
import { DocumentUploads } from './document-uploads.js';
import { DOCUMENT_PROBLEMS } from './documents.problems.js';

/** Everybody who writes at all, but whoever runs the system. */
const UPLOADERS: readonly Role[] = [
  'npc',
  'mission',
  'line-ministry',
  'donor-desk',
  'implementer',
  'fiscal-agent',
  'network-host',
  'coordinator',
  'auditor',
];
const UPLOAD = { action: 'document.upload', roles: UPLOADERS } as const;

/** A browser that is led here saves the bytes: it neither guesses what they are nor runs them. */
const DOWNLOAD_HEADERS = {
  'content-type': 'application/octet-stream',
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff',
  'accept-ranges': 'bytes',
} as const;

const EXAMPLE = {
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  size: 1_048_576,
  received: 524_288,
  complete: false,
};

/** Files by their SHA-256: brought in chunks, and given to whoever sees a record that lists them. */
@Controller('v1/documents')
export class DocumentsController {
  constructor(
    private readonly uploads: DocumentUploads,
    private readonly records: DocumentRecords,
    private readonly store: DocumentStore,
    private readonly transactor: Transactor,
    private readonly gate: ReadGate,
    private readonly tokens: ConsistencyTokens,
    private readonly notes: ReadNotes,
  ) {}

  @Post()
  @RouteAction({
    alsoStatus: 200,
    ...UPLOAD,
    problems: pick('upload-busy', 'too-many-uploads', 'hash-mismatch'),
    example: EXAMPLE,
  })
  async declare(@Ctx() ctx: RequestContext, @Body() body: DeclareDocumentDto): Promise<HttpAnswer> {
    const { sha256, size, mediaType, name } = body;
    const known = await this.uploads.progress(ctx.caller.party, sha256);
    const { progress, position } = await this.uploads.declare(
      actorOf(ctx.caller, UPLOAD),
      { sha256, size, mediaType, ...(name === undefined ? {} : { name }) },
      ctx.correlationId,
    );
    return new HttpAnswer(
      known === undefined ? 201 : 200,
      { location: `/v1/documents/${sha256}`, ...this.headersOf(progress, position) },
      progress,
    );
  }

  @Patch(':sha256')
  @HttpCode(204)
  @RouteAction({
    ...UPLOAD,
    status: 204,
    problems: pick('offset-mismatch', 'hash-mismatch', 'upload-busy'),
  })
  @ApiConsumes(CHUNK_TYPE)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiHeader({ name: 'Upload-Offset', required: true, description: 'Where the chunk starts, in bytes from 0.' })
  async append(
    @Ctx() ctx: RequestContext,
    @Param('sha256') sha256: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (request.headers['content-type'] !== CHUNK_TYPE)
      throw Problem.of('unsupported-media-type', `Send the chunk as ${CHUNK_TYPE}.`);
    const offset = offsetIn(request.headers['upload-offset']);
    if (!isSha256(sha256)) throw notFound();
    const { party } = ctx.caller;
    const chunk = { party, sha256, offset, length: lengthIn(request.headers['content-length']) };
    const step = await this.uploads.append(chunk, request.raw, ctx.correlationId);
    if (step === undefined) throw notFound();
    await reply.code(204).headers(this.headersOf(step.progress, step.position)).send();
  }

  @Head(':sha256')
  @RouteAction({ action: 'document.progress', anonymous: true })
  async progress(
    @Ctx() ctx: RequestContext,
    @Param('sha256') sha256: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!isSha256(sha256)) throw notFound();
    const step = ctx.caller.anonymous ? undefined : await this.uploads.progress(ctx.caller.party, sha256);
    if (step !== undefined && !step.progress.complete) {
      await reply.code(200).headers(this.headersOf(step.progress)).send();
      return;
    }
    const { size } = await this.seen(ctx, sha256);
    const whole = { sha256, size, received: size, complete: true };
    await reply
      .code(200)
      .headers({ ...DOWNLOAD_HEADERS, ...this.headersOf(whole), etag: `"${sha256}"`, 'content-length': String(size) })
      .send();
  }

  @Get(':sha256')
  @RouteAction({
    action: 'document.read',
    anonymous: true,
    produces: ['application/octet-stream'],
    problems: pick('range-not-satisfiable'),
  })
  @ApiHeader({ name: 'Range', required: false, description: 'One range of bytes, such as bytes=0-1023.' })
  async read(
    @Ctx() ctx: RequestContext,
    @Param('sha256') sha256: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!isSha256(sha256)) throw notFound();
    const { size, name } = await this.seen(ctx, sha256);
    const etag = `"${sha256}"`;
    reply.headers({ ...DOWNLOAD_HEADERS, etag, 'content-disposition': attachment(name ?? sha256) });
    const { 'if-none-match': known, 'if-range': sameAs, range } = request.headers;
    if (known?.split(',').some((each) => ['*', etag, `W/${etag}`].includes(each.trim())) === true) {
      await reply.code(304).send();
      return;
    }
    const asked = sameAs === undefined || sameAs === etag ? rangeOf(range, size) : undefined;
    if (asked === 'unsatisfiable') {
      throw Problem.of('range-not-satisfiable', `The document has ${size} bytes.`, {
        headers: { 'content-range': `bytes */${size}` },
      });
    }
    if (asked !== undefined) reply.code(206).header('content-range', `bytes ${asked.start}-${asked.end}/${size}`);
    reply.header('content-length', String(asked === undefined ? size : asked.end - asked.start + 1));
    await reply.send(await this.store.read(sha256, asked));
  }

  /** @throws {Problem} 404 for what the caller does not see; 503 where its bytes are not what they were */
  private async seen(
    ctx: RequestContext,
    sha256: string,
  ): Promise<{ readonly size: number; readonly name: string | undefined }> {
    await this.gate.ready(ctx, DOCUMENT_LINKS);
    const { state } = await this.transactor.load(documentDecider, sha256);
    const held = state.holders.size === 0 ? undefined : await this.records.heldFor(ctx.caller, sha256, state);
    if (held === undefined) throw notFound();
    if (held.listedIn !== undefined) this.notes.note(ctx, held.listedIn.category, [held.listedIn.id]);
    // Cut short by a disk or a hand: better no file than half of one.
    if ((await this.store.sizeOf(sha256)) !== state.size)
      throw new StoreUnavailableError('the bytes of a document are not whole: restore it from a backup');
    return { size: state.size, name: held.holder.name };
  }

  private headersOf({ received, size }: UploadProgress, position?: bigint): Record<string, string> {
    return {
      'upload-offset': String(received),
      'upload-length': String(size),
      ...(position === undefined ? {} : { 'consistency-token': this.tokens.encode(position) }),
    };
  }
}

function pick(
  ...codes: readonly (keyof typeof DOCUMENT_PROBLEMS)[]
): Record<string, (typeof DOCUMENT_PROBLEMS)[keyof typeof DOCUMENT_PROBLEMS]> {
  return Object.fromEntries(codes.map((code) => [code, DOCUMENT_PROBLEMS[code]]));
}

const offsetIn = (header: string | readonly string[] | undefined): number => {
  if (typeof header === 'string' && /^(0|[1-9][0-9]{0,14})$/.test(header)) return Number(header);
  throw invalid([{ field: 'Upload-Offset', message: 'must say at which byte the chunk starts, such as 0' }]);
};

const lengthIn = (header: string | undefined): number | undefined =>
  header === undefined ? undefined : Number(header);

/** RFC 6266: a plain name for old readers, the true one for all others. Neither can end the header or leave its folder. */
const attachment = (name: string): string => {
  const bare = name.replaceAll(/[\\/]/g, '_');
  const plain = bare.replaceAll(/[^\x20-\x7e]|["%]/g, '_');
  const encoded = encodeURIComponent(bare).replaceAll(
    /['()*!]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
};
