import type { LifeCycleRule, RecordedEvent, RuleRow } from '#kernel';
import { ruleAmong } from '#kernel';
import type { NeedEvent } from './need.contract.js';
import type { NeedCommandRule, NeedCommandType, Who } from './need.js';
import { DORMANT_DAYS, NEED_COMMANDS, OBJECTION_WINDOW_WORKING_DAYS, REAFFIRM_DAYS } from './need.js';

const TABLE = 'DOMAIN.md, Need';

const BY: Readonly<Record<Who, string>> = {
  filer: 'who filed it: the State’s office, the host of the network, or the coordinator on behalf of a State',
  state: 'the State’s office, or the host of a joint need',
  member: 'the State it is filed for, or a State that takes part',
  participant: 'a State that a joint need names',
  represented: 'the State it was filed on behalf of',
  coordinator: 'the coordinator, never of the filer’s own side',
  'coordinator-or-timer': 'the coordinator, never of the filer’s own side; or the clock',
  timer: 'the clock',
  process: 'the process that carries what commitments and other needs decide',
};

/** What must hold beside status and caller; the decider's functions of the same names decide it. */
const GUARDS: Readonly<Record<NeedCommandType, string>> = {
  DraftNeed: 'nothing: a draft binds nobody',
  SubmitNeed: 'the mandatory fields are there, and consent to circulate and to publish is given or asked',
  ReturnNeed: 'coded reasons are given',
  SetAsideNeed: 'a coded reason is given, which the State alone sees',
  ObjectNeed: 'it names circulation or publication, which then stops',
  RatifyNeed: 'it is a transcript that its State has not answered yet',
  ConsentParticipation: 'the need names it; it is counted from now on',
  WithdrawParticipation: 'somebody else still takes part',
  OpenNeed: `circulation was consented, or ${OBJECTION_WINDOW_WORKING_DAYS} working days have passed without objection or return`,
  AmendNeed: 'no line drops below what is accepted and binding, none in use is taken away',
  AssessNeed: 'the lines were undetermined, and the assessor’s report is there',
  MergeNeed: 'the survivor is open and for the same beneficiaries; no reservation moves',
  UnmergeNeed: 'it was merged into another need',
  ReaffirmNeed: `nothing more: the next is due in ${REAFFIRM_DAYS} days`,
  FallDormant: `${DORMANT_DAYS} days have passed since the reaffirmation was due, and no commitment is live`,
  ReopenNeed: 'nothing more: it counts as reaffirmed',
  WithdrawNeed: 'no commitment on it is live (I18)',
  CloseNeed:
    'no commitment is live; met only where every measurable line is confirmed, or the rest is waived with a reason',
  RecordMerge: 'another need was merged into this one',
  RecordUnmerge: 'a need that was merged into this one was taken out again',
  UndoMerge: 'the survivor refused the merge',
  ReserveCoverage:
    'accepted and binding stay within what each measurable line asks, unless the State allowed more (I2)',
  BindCoverage: 'the commitment that reserved it is binding',
  AmendCoverage: 'an amendment of the commitment took effect',
  DeliverCoverage: 'the commitment reports the delivery, once',
  ConfirmCoverage: 'the delivery was confirmed on the commitment, once',
  ReturnCoverage: 'a return was reported on the commitment, once',
  CorrectCoverage: 'the delivery was corrected or settled on the commitment',
  ReleaseCoverage: 'the commitment was left, or takes less: what was delivered stays',
  ReopenCoverage: 'the commitment that had ended is answered again',
};

/** By what each event may come to be; the first of several is a party's. */
const COMMANDS_OF: Readonly<Record<NeedEvent['type'], readonly [NeedCommandType, ...NeedCommandType[]]>> = {
  NeedDrafted: ['DraftNeed'],
  NeedSubmitted: ['SubmitNeed'],
  NeedReturned: ['ReturnNeed'],
  NeedSetAside: ['SetAsideNeed'],
  NeedObjected: ['ObjectNeed'],
  NeedRatified: ['RatifyNeed'],
  NeedOpened: ['OpenNeed'],
  NeedAmended: ['AmendNeed'],
  ParticipationConsented: ['ConsentParticipation'],
  ParticipationWithdrawn: ['WithdrawParticipation'],
  NeedAssessed: ['AssessNeed'],
  NeedSuperseded: ['MergeNeed'],
  NeedsMerged: ['RecordMerge'],
  NeedUnmerged: ['UnmergeNeed', 'RecordUnmerge'],
  NeedReaffirmed: ['ReaffirmNeed'],
  NeedFellDormant: ['FallDormant'],
  NeedReopened: ['ReopenNeed'],
  NeedWithdrawn: ['WithdrawNeed'],
  NeedClosed: ['CloseNeed'],
  CoverageReserved: ['ReserveCoverage'],
  CoverageRefused: ['ReserveCoverage'],
  CoverageBound: ['BindCoverage'],
  CoverageDelivered: ['DeliverCoverage'],
  CoverageConfirmed: ['ConfirmCoverage'],
  CoverageReleased: ['ReleaseCoverage'],
  CoverageReturned: ['ReturnCoverage'],
  CoverageDeliveryCorrected: ['CorrectCoverage'],
  CoverageReopened: ['ReopenCoverage'],
};

const rowOf = (command: NeedCommandType): RuleRow => {
  const guard = GUARDS[command];
  if (command === 'DraftNeed') {
    const by = `${BY.filer}; or the process that drafts what a State claims of a publication`;
    return { command, from: [], by, guard, source: TABLE, principal: 'party' };
  }
  const { from, who }: NeedCommandRule = NEED_COMMANDS[command];
  const source =
    command === 'OpenNeed'
      ? `${TABLE}; UNSCR 1540 Committee: a request is made available unless the State objects within five working days`
      : TABLE;
  return { command, from, by: BY[who], guard, source, principal: who === 'process' || who === 'timer' ? who : 'party' };
};

/** The rule that allowed an event of a need. */
export const needRuleOf = (event: Pick<RecordedEvent<NeedEvent>, 'type' | 'metadata'>): LifeCycleRule => {
  const [first, ...others] = COMMANDS_OF[event.type];
  return ruleAmong([rowOf(first), ...others.map(rowOf)], event);
};
