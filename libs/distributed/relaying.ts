import type { Broker, RelayAlarm } from '#bus-kafka';
import { Relay } from '#bus-kafka';
import type { Host, HostOptions, Opened } from '#hosting';
import { faultLine, host } from '#hosting';
import { PublicRecords, relayShare, ROUTE_SUMMARIES } from '#services';
import type { HealthCheck } from '#web';
import { RecordKinds } from '#web';
import type { Logger } from 'pino';
import { pino } from 'pino';

export interface RelayingOptions extends Omit<HostOptions, 'share' | 'rate' | 'summaries'> {
  readonly broker: Broker;
  /** What topics begin with. */
  readonly prefix: string;
  /** Lets a technical stream forget all but its newest events, where the store can. */
  readonly keepNewest?: (stream: string, count: number) => Promise<void>;
  /** A relay that was not heard of for so long is taken over, in milliseconds. */
  readonly leaseMs?: number;
}

/** A relay in an app of its own, which judges by the contexts' read models what partners may read. */
export const createRelaying = async (options: RelayingOptions, opened: Opened): Promise<Host> => {
  const { adapters, contexts, broker, prefix, keepNewest, leaseMs, logger = pino({ level: 'silent' }) } = options;
  const started: { relay?: Relay } = {};
  const app = await host(
    {
      ...options,
      share: relayShare(contexts),
      rate: 'off',
      summaries: ROUTE_SUMMARIES,
      checks: () => checksOf(started.relay),
    },
    opened,
  );
  const records = new PublicRecords(adapters.store, app.nest.get(RecordKinds, { strict: false }), app.upcasting);
  const relay = new Relay(adapters.store, broker, {
    prefix,
    isPublic: async (event) => {
      // What others may see is asked of read models that know the event.
      if (!(await app.projections.waitFor(event.position, JUDGEMENT_MS))) throw new Error('the read models are behind');
      return records.isPublic(event);
    },
    alarm: (alarm) => {
      tell(logger, alarm);
    },
    ...(keepNewest === undefined ? {} : { keepNewest }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
  started.relay = relay;
  relay.start();
  return {
    ...app,
    close: async () => {
      await relay.stop();
      await app.close();
    },
  };
};

const JUDGEMENT_MS = 10_000;

const tell = (logger: Logger, alarm: RelayAlarm): void => {
  if (alarm.kind === 'leading' || alarm.kind === 'standing-by') logger.info(`relay: ${alarm.kind}`);
  else logger.error({ ...('error' in alarm ? faultLine(alarm.error) : {}) }, `relay: ${alarm.kind}`);
};

/** A relay that stands by is ready: another one forwards. */
const checksOf = async (relay: Relay | undefined): Promise<readonly HealthCheck[]> => {
  if (relay === undefined) return [];
  try {
    const { role, wakeUps, partners, lag } = await relay.status();
    const trouble = role === 'leader' ? (wakeUps.trouble ?? partners.trouble) : undefined;
    return [
      {
        name: 'relay',
        ok: trouble === undefined,
        detail: {
          role,
          position: String(wakeUps.position),
          lag: role === 'leader' ? String(lag) : '0',
          ...(trouble === undefined ? {} : { trouble }),
        },
      },
    ];
  } catch (error) {
    return [{ name: 'relay', ok: false, detail: faultDetail(error) }];
  }
};

const faultDetail = (error: unknown): Readonly<Record<string, string>> => ({ error: faultLine(error).error });
