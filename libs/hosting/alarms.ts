import type { Logger } from 'pino';
import type { DeadlineAlarm, ProcessAlarm, ProjectionAlarm, ProjectionNote } from '#kernel';
import { describeProcessAlarm, failureOf, framesOf } from '#kernel';

/** A fault for the log: what and where, without the error's own text, which may quote a record. */
export const faultLine = (error: unknown): { readonly error: string; readonly at: readonly string[] } => ({
  error: failureOf(error),
  at: framesOf(error),
});

/** What a bus says to an operator, whichever bus it is. */
interface BusAlarm {
  readonly kind: string;
  readonly subscription?: string;
  readonly error?: unknown;
}

/** Alarms and notes of what follows the log, as lines of the log. */
export const alarmsTo = (
  logger: Logger,
): {
  readonly bus: (alarm: BusAlarm) => void;
  readonly projection: (alarm: ProjectionAlarm) => void;
  readonly noted: (note: ProjectionNote) => void;
  readonly process: (alarm: ProcessAlarm) => void;
  readonly deadline: (alarm: DeadlineAlarm) => void;
} => ({
  bus: ({ kind, subscription = 'all', error }) => {
    logger.error({ subscription, ...faultLine(error) }, `bus: ${kind}`);
  },
  projection: (alarm) => {
    if (alarm.kind === 'parked') {
      const { projection, event, error } = alarm;
      const place = { projection, eventId: event.id, eventType: event.type, position: String(event.position) };
      logger.error({ ...place, ...faultLine(error) }, 'projection parked');
    } else logger.error({ projections: alarm.projections, ...faultLine(alarm.error) }, 'the log cannot be followed');
  },
  noted: ({ kind, projection, position }) => {
    logger.info({ projection, position: String(position) }, `projection ${kind}`);
  },
  process: (alarm) => {
    logger.error(
      { process: alarm.process, eventId: alarm.event.id, ...faultLine(alarm.error) },
      describeProcessAlarm(alarm),
    );
  },
  deadline: ({ source, stream, due, error }) => {
    logger.error({ source, stream, due, ...faultLine(error) }, 'a deadline could not be tried');
  },
});
