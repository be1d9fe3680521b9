import type { Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse } from '#kernel';
import type { LogKeyEvent } from './log-keys.contract.js';

export type LogKeyRejectionCode = 'another-key' | 'key-used' | 'origin-used' | 'reason-missing';
export type LogKeyRejection = Rejection<LogKeyRejectionCode>;

type DataOf<Type extends LogKeyEvent['type']> = Extract<LogKeyEvent, { readonly type: Type }>['data'];

export type LogKeyCommand = Command &
  (
    | ({ readonly type: 'RotateLogKey' } & DataOf<'LogKeyRotated'>)
    | ({ readonly type: 'RetireLogKey' } & DataOf<'LogKeyRetired'>)
    | ({ readonly type: 'ForkLog' } & DataOf<'LogForked'>)
  );

/** A key, and the sizes of the checkpoints that it signed. */
export interface LogKey {
  readonly origin: string;
  /** The verifier key as text. */
  readonly verifier: string;
  readonly from: number;
  /** Absent while it signs. */
  readonly to?: number;
}

/** Every key the log had, in the order they came; the last is the one in use. Empty for a log that never changed its key. */
export interface LogKeysState {
  readonly keys: readonly LogKey[];
  /** Former names of the log whose keys are not known any more: nothing tells who signed their checkpoints. */
  readonly lost: readonly string[];
}

/** The log has one such stream. */
export const LOG_KEYS_ID = 'keys';
export const LOG_KEYS_STREAM = `log-${LOG_KEYS_ID}`;

type KeyDecision = Decision<LogKeyEvent, LogKeyRejection>;

const decide = (command: LogKeyCommand, { keys }: LogKeysState): KeyDecision => {
  const current = keys.at(-1);
  switch (command.type) {
    case 'RotateLogKey': {
      const { former, key, size } = command;
      if (current?.verifier === key) return accept();
      if (current !== undefined && current.verifier !== former)
        return refuse('another-key', `the log's key is ${current.verifier}`, 'former');
      if (keys.some(({ verifier }) => verifier === key))
        return refuse('key-used', 'the log had this key before', 'key');
      if (originOf(key) !== originOf(former))
        return refuse('another-key', `a log keeps its name: the key is that of ${originOf(key)}`, 'key');
      return accept<LogKeyEvent>({ type: 'LogKeyRotated', data: { former, key, size } });
    }
    case 'RetireLogKey': {
      const { key, size } = command;
      const found = keys.find(({ verifier }) => verifier === key);
      if (found === undefined || found === current) return refuse('another-key', 'no former key of the log', 'key');
      return found.to === undefined ? accept<LogKeyEvent>({ type: 'LogKeyRetired', data: { key, size } }) : accept();
    }
    case 'ForkLog': {
      const { type: _type, by: _by, ...data } = command;
      if (data.reason.trim() === '') return refuse('reason-missing', 'say why the log goes on from here', 'reason');
      if ([data.formerOrigin, ...keys.map(({ origin }) => origin)].includes(data.origin))
        return refuse('origin-used', `a fork has a name of its own: ${data.origin} is taken`, 'origin');
      return accept<LogKeyEvent>({ type: 'LogForked', data });
    }
  }
};

const evolve = (state: LogKeysState, event: RecordedEvent<LogKeyEvent>): LogKeysState => {
  const { keys, lost } = state;
  const fact = event as unknown as LogKeyEvent;
  switch (fact.type) {
    case 'LogKeyRotated': {
      const { former, key, size } = fact.data;
      return { keys: [...(keys.length === 0 ? [keyOf(former, 0)] : keys), keyOf(key, size + 1)], lost };
    }
    case 'LogKeyRetired': {
      const { key, size } = fact.data;
      return { keys: keys.map((each) => (each.verifier === key ? { ...each, to: size } : each)), lost };
    }
    case 'LogForked': {
      const { formerOrigin, former, key, size } = fact.data;
      const before = keys.length === 0 && former !== undefined ? [keyOf(former, 0)] : keys;
      return {
        keys: [...before.map((each) => ({ to: size, ...each })), keyOf(key, size + 1)],
        lost: before.length === 0 ? [formerOrigin] : lost,
      };
    }
    default:
      // An event of a later version says nothing here.
      fact satisfies never;
      return state;
  }
};

const originOf = (verifier: string): string => verifier.slice(0, verifier.indexOf('+'));

const keyOf = (verifier: string, from: number): LogKey => ({ origin: originOf(verifier), verifier, from });

/** Which keys sign the log, and which did up to which size. */
export const logKeysDecider: Decider<LogKeysState, LogKeyCommand, LogKeyEvent, LogKeyRejection> = {
  category: 'log',
  initial: { keys: [], lost: [] },
  schemas: { LogKeyRotated: 1, LogKeyRetired: 1, LogForked: 1 },
  decide,
  evolve,
};
