/** A JSON value as it stands in an event: no floats where the domain needs exactness, no `undefined`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A fact of the domain before it is recorded. `type` is the literal wire name, in the past tense. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/**
 * Who acted. Offices sign, people act: `subject` is an opaque random reference, never a name or an `iss`/`sub`.
 * `designation` is the designation the act rests on, or `role-claim` while the party keeps none (DOMAIN, parties).
 * `sovereign` is the alpha-3 code of the State the party belongs to: two parties of one sovereign are one side.
 */
export interface Actor {
  readonly party: string;
  readonly role: string;
  readonly subject?: string;
  readonly designation?: string;
  readonly sovereign?: string;
}

/** The principal of every deadline. */
export const SYSTEM_TIMER: Actor = { party: 'system:timer', role: 'system' };
/** The principal of every process. */
export const SYSTEM_PROCESS: Actor = { party: 'system:process', role: 'system' };

/** What stands beside the data of every event. Times are RFC 3339 UTC with milliseconds, but for a claimed date (see `effectiveAt`). */
export interface EventMetadata {
  readonly commandId: string;
  readonly correlationId: string;
  /** The event (or request) that led to this one; null for a request. */
  readonly causationId: string | null;
  readonly actor: Actor;
  /** When it happened, as the actor claims: a moment, or `YYYY`, `YYYY-MM`, `YYYY-MM-DD`. */
  readonly effectiveAt: string;
  /** When it was recorded, by the server's clock. */
  readonly recordedAt: string;
  /** Version of the data's shape, from 1. */
  readonly schema: number;
  /** 32 random bytes, hexadecimal: hides small-domain values in audit leaves. */
  readonly salt: string;
  /** SHA-256 over salt and canonical request, for events written under an `Idempotency-Key`. */
  readonly requestHash?: string;
}

/** An event to append. `id` is a UUID chosen by the caller. */
export interface EventToAppend {
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: EventMetadata;
}

/** An event as the log holds it. */
export interface RecordedEvent<E extends DomainEvent = DomainEvent> {
  readonly id: string;
  readonly stream: string;
  readonly type: E['type'];
  readonly data: E['data'];
  readonly metadata: EventMetadata;
  /** Place in its stream, from 0. */
  readonly revision: number;
  /** Place in the log: strictly increasing, distinct per event, not dense. */
  readonly position: bigint;
}

/** An event that nobody recorded, for folds of what would be. @param at RFC 3339 UTC */
export const supposed = <E extends DomainEvent>({ type, data }: E, at: string): RecordedEvent<E> => ({
  ...{ id: '', stream: '', type, data, revision: 0, position: 0n },
  metadata: {
    ...{ commandId: '', correlationId: '', causationId: null, actor: { party: '', role: '' } },
    ...{ effectiveAt: at, recordedAt: at, schema: 1, salt: '' },
  },
});

/**
 * An event of a technical stream: a note of the service to itself, part of no record.
 * @param id the same for a repeat of the same note
 */
export const technicalEvent = (id: string, type: string, data: object, now: Date): EventToAppend => {
  const at = now.toISOString();
  return {
    id,
    type,
    data,
    metadata: {
      commandId: id,
      correlationId: id,
      causationId: null,
      actor: SYSTEM_PROCESS,
      effectiveAt: at,
      recordedAt: at,
      schema: 1,
      // Nobody keeps its data from anybody: nothing to salt.
      salt: '00'.repeat(32),
    },
  };
};

/** True for the two system principals' process events: they never make an `If-Match` stale. */
export const isOfProcess = (actor: Actor): boolean => actor.party === SYSTEM_PROCESS.party;
