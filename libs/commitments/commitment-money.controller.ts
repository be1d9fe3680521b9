import type { HttpAnswer as Answer, RequestContext } from '#web';
import { Ctx, invalid } from '#web';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CommitmentCommands, given, numberOf, onCommand, optional } from './commitment-commands.js';
import type { CommitmentState } from './commitment-state.js';
import {
  ExpenditureDto,
  ReceiptCorrectionDto,
  ReceiptDto,
  SettlementOfDiscrepancyDto,
  TransferCorrectionDto,
  TransferDto,
  withdrawnFault,
} from './commitment-money.dto.js';
import { transferOf } from './commitment-money.js';
import { linkOf } from './commitment-terms.dto.js';
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
    const { kind, from, to, amount, leg, onward, of, instalment, effect, date, reference } = body;
    // A client that knows only API.md points a refund with `onward`.
    const refunded = kind === 'refund' ? { of: of ?? onward } : { onward };
    return this.commands.report(ctx, id, date, {
      type: 'ReportTransfer',
      kind,
      from,
      to,
      amount: canonical(amount),
      date,
      ...given({ leg, ...refunded, instalment, effect, reference }),
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

  /** Corrects a transfer that its receiver has not receipted; the earlier figure stays visible. */
  @Post(':id/transfers/:n/correct')
  @HttpCode(200)
  @onCommand('CorrectTransfer', 'required')
  correctTransfer(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') number: string,
    @Body() body: TransferCorrectionDto,
  ): Promise<Answer> {
    const { amount, leg, instalment, date, reference, reason } = body;
    const n = numberOf(number);
    if (date !== undefined) this.commands.requireNoFuture(date);
    return this.commands.send(ctx, id, {
      type: 'CorrectTransfer',
      build: ({ state }) => {
        const there = transferOf(state, n);
        requireInUse({ amount: amount ?? there?.amount }, date ?? there?.date);
        return {
          type: 'CorrectTransfer',
          n,
          reason,
          ...given({ amount: optional(amount), leg, instalment, date, reference }),
        };
      },
    });
  }

  /** Corrects a receipt on which nothing was built yet; the earlier figure stays visible. */
  @Post(':id/receipts/:n/correct')
  @HttpCode(200)
  @onCommand('CorrectReceipt', 'required')
  correctReceipt(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') number: string,
    @Body() body: ReceiptCorrectionDto,
  ): Promise<Answer> {
    const { amount, credited, rate, charges, date, reference, reason } = body;
    const n = numberOf(number);
    if (date !== undefined) this.commands.requireNoFuture(date);
    return this.commands.send(ctx, id, {
      type: 'CorrectReceipt',
      build: ({ state }) => {
        const there = receiptOf(state, n);
        requireInUse(
          {
            amount: amount ?? there?.amount,
            credited: credited ?? there?.credited,
            charges: charges ?? there?.charges,
          },
          date ?? there?.date,
        );
        return {
          type: 'CorrectReceipt',
          n,
          reason,
          ...given({
            amount: optional(amount),
            credited: optional(credited),
            rate,
            charges: optional(charges),
            date,
            reference,
          }),
        };
      },
    });
  }

  /** What a holder spent, by budget line. */
  @Post(':id/expenditures')
  @HttpCode(200)
  @onCommand('ReportExpenditure', 'optional')
  expenditures(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ExpenditureDto): Promise<Answer> {
    const { kind, period, lines, invoices, date, reference, document } = body;
    this.commands.requireNoFuture(period.to, 'period.to');
    return this.commands.report(ctx, id, date, {
      type: 'ReportExpenditure',
      kind,
      from: period.from,
      to: period.to,
      lines: lines.map(({ budgetLine, amount }) => ({ budgetLine, amount: canonical(amount) })),
      date,
      ...given({ invoices, reference, document: linkOf(document) }),
    });
  }

  /** States what arrived; where both ends state the same, the difference is settled. */
  @Post(':id/discrepancies/:n/settle')
  @HttpCode(200)
  @onCommand('SettleDiscrepancy', 'required')
  settleDiscrepancy(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { amount, reason }: SettlementOfDiscrepancyDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'SettleDiscrepancy',
      n: numberOf(n),
      reason,
      ...given({ amount: optional(amount) }),
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

const receiptOf = ({ receipts }: CommitmentState, n: number): CommitmentState['receipts'][number] | undefined =>
  receipts.find((receipt) => receipt.n === n);

/** A currency is in use at the date that the corrected report carries. @throws {Problem} 400 */
const requireInUse = (amounts: Readonly<Record<string, unknown>>, date: string | undefined): void => {
  const errors = Object.entries(amounts).flatMap(([field, money]) => {
    const message = withdrawnFault(money, date);
    return message === undefined ? [] : [{ field: `${field}.currency`, message }];
  });
  if (errors.length > 0) throw invalid(errors);
};
