import type { HttpAnswer as Answer, RequestContext } from '#web';
import { Ctx } from '#web';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CommitmentCommands, given, onCommand } from './commitment-commands.js';
import { DocumentLinkDto } from './commitment-terms.dto.js';

/** Papers beside a commitment; their bytes come over `/v1/documents`. */
@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentDocumentsController {
  constructor(private readonly commands: CommitmentCommands) {}

  @Post(':id/documents')
  @HttpCode(200)
  @onCommand('AttachDocument', 'required')
  attach(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: DocumentLinkDto): Promise<Answer> {
    const { kind, title, sha256, label } = body;
    return this.commands.send(ctx, id, {
      type: 'AttachDocument',
      document: { kind, title, sha256, ...given({ label }) },
    });
  }
}
