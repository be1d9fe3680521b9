import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { newId, NO_STREAM, StoreUnavailableError, WrongRevisionError } from '#kernel';
import type { EventWriter } from './event-writer.js';
import { CallFailure, unavailable } from './failures.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { newestRequest } from './requests.js';

type Settings = Readonly<Record<string, unknown>>;

/** Rules for streams that have none of their own. */
const SETTINGS_STREAM = '$settings';
const SETTINGS_TYPE = '$settings';
/** Settings of one stream are the newest event of its metastream. */
const METADATA_TYPE = '$metadata';
const ADMINS = '$admins';
const NOBODY_ELSE = { $r: ADMINS, $w: ADMINS, $d: ADMINS, $mr: ADMINS, $mw: ADMINS };

/** What the server keeps about streams: set where it is not so yet, so that it can be set again at any time. */
export class ServerSettings {
  constructor(
    private readonly connection: KurrentConnection,
    private readonly writer: EventWriter,
  ) {}

  /** A stream shows no more than its newest `count` events. @throws {StoreUnavailableError} */
  async keepNewest(stored: string, count: number): Promise<boolean> {
    return this.change(`$$${stored}`, METADATA_TYPE, (known) =>
      known.$maxCount === count ? undefined : { ...known, $maxCount: count },
    );
  }

  /**
   * Whoever is of `group` may read the whole log; whoever is not, admins apart, may read and write nothing. Deleting and setting are the
   * admins' alone. Answers which rules were not so before.
   * @throws {StoreUnavailableError}
   */
  async grant(group: string): Promise<readonly string[]> {
    const wanted = {
      $userStreamAcl: { $r: group, $w: group, $d: ADMINS, $mr: group, $mw: ADMINS },
      $systemStreamAcl: NOBODY_ELSE,
    };
    const changed: string[] = [];
    const isWanted = (known: Settings): boolean =>
      (Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => same(known[key], wanted[key]));
    if (await this.change(SETTINGS_STREAM, SETTINGS_TYPE, (known) => (isWanted(known) ? undefined : wanted))) {
      changed.push(`streams are read and written by ${group} alone, and deleted by nobody but admins`);
    }
    const acl = { $r: [ADMINS, group] };
    if (
      await this.change('$$$all', METADATA_TYPE, (known) =>
        same(known.$acl, acl) ? undefined : { ...known, $acl: acl },
      )
    ) {
      changed.push(`the whole log is read by ${group}`);
    }
    return changed;
  }

  /** Writes what `change` makes of the newest event of `stored`, unless it makes nothing of it. Answers whether it wrote. */
  private async change(
    stored: string,
    type: string,
    change: (known: Settings) => Settings | undefined,
  ): Promise<boolean> {
    for (;;) {
      const { revision, settings } = await this.newest(stored);
      const next = change(settings);
      if (next === undefined) return false;
      const events = [{ id: newId(), type, data: JSON.stringify(next), metadata: '' }];
      try {
        await this.writer.append(stored, stored, revision, events);
        return true;
      } catch (error) {
        // Somebody else has set something meanwhile.
        if (!(error instanceof WrongRevisionError)) throw error;
      }
    }
  }

  private async newest(stored: string): Promise<{ readonly revision: number; readonly settings: Settings }> {
    let found: { readonly revision: number; readonly settings: Settings } = { revision: NO_STREAM, settings: {} };
    const take = (message: ReadResp): 'more' => {
      const event = message.getEvent()?.getEvent();
      if (event === undefined) return 'more';
      found = {
        revision: Number(event.getStreamRevision()),
        settings: parsed(Buffer.from(event.getData_asU8()).toString(), stored),
      };
      return 'more';
    };
    const { calls, patience } = this.connection;
    try {
      await calls.read(newestRequest(stored), take, patience.readMs);
      return found;
    } catch (error) {
      throw error instanceof CallFailure ? unavailable(`the settings in ${stored} cannot be read`, error) : error;
    }
  }
}

const parsed = (text: string, stored: string): Settings => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Settings;
  } catch {
    // Told below, with what is no object.
  }
  throw new StoreUnavailableError(`the newest settings in ${stored} are no JSON object`);
};

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
