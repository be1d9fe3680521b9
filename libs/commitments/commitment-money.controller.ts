import type { HttpAnswer as Answer, RequestContext } from '#web';
import { Ctx } from '#web';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CommitmentCommands, given, numberOf, onCommand, optional } from './commitment-commands.js';
import { ReceiptDto, TransferDto } from './commitment-money.dto.js';
import { canonical, WordsBody } from './commitment.dto.js';

/** What moved, what arrived, and what became of it. */
@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentMoneyController {
  constructor(private readonly commands: CommitmentCommands) {}

  @Post(':id/transfers')
  @HttpCode(200)
  @onCommand('ReportTransfer', 'optional')
  transfers(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: TransferDto): Promise<Answer> {
    const { kind, from, to, amount, leg, onward, of, date, reference } = body;
    // A client that knows only API.md points a refund with `onward`.
    const refunded = kind === 'refund' ? { of: of ?? onward } : { onward };
    return this.commands.report(ctx, id, date, {
      type: 'ReportTransfer',
      kind,
      from,
      to,
      amount: canonical(amount),
      date,
      ...given({ leg, ...refunded, reference }),
    });
  }

  @Post(':id/receipts')
  @HttpCode(200)
  @onCommand('ReportReceipt', 'optional')
  receipts(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReceiptDto): Promise<Answer> {
    const { transfer, amount, credited, rate, charges, date, reference } = body;
    return this.commands.report(ctx, id, date, {
      type: 'ReportReceipt',
      transfer,
      amount: canonical(amount),
      date,
      ...given({ credited: optional(credited), rate, charges: optional(charges), reference }),
    });
  }

  @Post(':id/discrepancies/:n/accept')
  @HttpCode(200)
  @onCommand('AcceptDiscrepancy', 'required')
  acceptDiscrepancy(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { reason }: WordsBody,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'AcceptDiscrepancy', n: numberOf(n), reason });
  }
}
