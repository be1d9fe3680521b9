import { Injectable } from '@nestjs/common';
import { newId, SYSTEM_PROCESS, Transactor } from '#kernel';
import { TlogRefusal } from '#tlog';
import { historyOf, verifierOf } from './key-history.js';
import { LOG_KEYS_ID, type LogKey, type LogKeyCommand, logKeysDecider, type LogKeysState } from './log-keys.js';
import { LogSigning } from './log-signing.js';

/** Another instance signs with a newer key, which this one has yet to find: it signs nothing meanwhile. */
export class KeyNotTakenUpError extends Error {
  override readonly name = 'KeyNotTakenUpError';
  constructor(verifier: string) {
    super(`the log is signed with a newer key, ${verifier}: it is not where this service looks for it`);
  }
}

/** The last checkpoint, as far as keys are concerned. */
interface LastSigned {
  readonly size: number;
  readonly by: readonly LogKey[];
}

/** The keys of the log as its own record has them, and how the record follows those that are configured. */
@Injectable()
export class LogKeyring {
  constructor(
    private readonly transactor: Transactor,
    private readonly signing: LogSigning,
  ) {}

  /** Every key the log had, the one in use last. */
  async history(): Promise<LogKeysState> {
    return historyOf(await this.state(), this.signing.verifiers.toReversed());
  }

  /**
   * Records that another key came into use, or a former one signs no more. Answers whether something was written.
   * @throws {TlogRefusal} where the key in use is none that the log may be signed with
   */
  async follow(last: LastSigned | undefined): Promise<boolean> {
    const { keys } = await this.state();
    const { signer, verifiers } = this.signing;
    const key = signer.verifier.toString();
    const current = keys.at(-1) ?? currentOf(last, key);
    const size = last?.size ?? 0;
    const configured = new Set(verifiers.map(String));
    // Nothing signed, nothing recorded: whatever signs first is the first key.
    if (current === undefined) return false;
    if (current.verifier !== key) {
      const known = keys.find(({ verifier }) => verifier === key);
      if (known !== undefined && known.to === undefined) throw new KeyNotTakenUpError(current.verifier);
      if (known !== undefined || !configured.has(current.verifier)) throw wrongKey(key, known, current);
      return this.write((by) => ({ type: 'RotateLogKey', by, former: current.verifier, key, size }));
    }
    const retired = keys.find(({ verifier, to }) => verifier !== key && to === undefined && !configured.has(verifier));
    if (retired === undefined) return false;
    return this.write((by) => ({ type: 'RetireLogKey', by, key: retired.verifier, size }));
  }

  private async state(): Promise<LogKeysState> {
    return (await this.transactor.load(logKeysDecider, LOG_KEYS_ID)).state;
  }

  private async write(command: (by: LogKeyCommand['by']) => LogKeyCommand): Promise<boolean> {
    const commandId = newId();
    const outcome = await this.transactor.transact(logKeysDecider, LOG_KEYS_ID, command, {
      commandId,
      correlationId: commandId,
      causationId: null,
      actor: SYSTEM_PROCESS,
      once: true,
    });
    if (outcome.kind === 'refused') throw new TlogRefusal(outcome.rejection.detail);
    return outcome.kind === 'written';
  }
}

/** Of a log that never changed its key: the one that signed last, which is the one in use unless that is new. */
const currentOf = (last: LastSigned | undefined, key: string): LogKey | undefined =>
  last?.by.find(({ verifier }) => verifier === key) ?? last?.by.at(0);

const wrongKey = (key: string, known: LogKey | undefined, current: LogKey): TlogRefusal => {
  const id = key.split('+')[1] ?? '';
  const now = `the log is signed with ${verifierOf(current).keyId} of ${current.origin}`;
  return new TlogRefusal(
    known === undefined
      ? `the key in use (${id}) is none of the log's: ${now}. Put that one back, or go on as a fork`
      : `the key in use (${id}) was one of the log's: ${now}. Put that one in its place`,
  );
};
