import { logKeysDecider } from '#audit';
import type { Actor, CommandContext } from '#kernel';
import { newId, SYSTEM_PROCESS } from '#kernel';
import { NoteSigner } from '#tlog';
import type { PledgebookApp } from '../../apps/pledgebook/app.js';
import type { Play } from './play.js';

type LogKeyCommand = Parameters<typeof logKeysDecider.decide>[0];

const OPERATOR: Actor = { party: 'agency:hosting', role: 'operator' };

/** How the log's key is rotated and the former one retired, and how the log goes on as another one after an older state was restored. */
export const logKeysOf = async ({ transactor }: Pick<PledgebookApp, 'transactor'>, play: Play): Promise<void> => {
  const [former, key, ofFork] = ['log.example/story', 'log.example/story', 'log.example/story/2026'].map((name) =>
    NoteSigner.generate(name).verifier.toString(),
  ) as [string, string, string];
  const order = async (actor: Actor, command: (by: CommandContext) => LogKeyCommand): Promise<void> => {
    const commandId = newId();
    const meta = { commandId, correlationId: commandId, causationId: null, actor };
    const { kind } = await transactor.transact(logKeysDecider, 'keys', command, meta);
    if (kind !== 'written') throw new Error(`a change of the log's keys was ${kind}`);
  };
  await order(SYSTEM_PROCESS, (by) => ({ type: 'RotateLogKey', by, former, key, size: 100 }));
  await order(SYSTEM_PROCESS, (by) => ({ type: 'RetireLogKey', by, key: former, size: 120 }));
  await order(OPERATOR, (by) => ({
    ...{ type: 'ForkLog', by, formerOrigin: 'log.example/story', former: key },
    ...{ origin: 'log.example/story/2026', key: ofFork, size: 150, root: Buffer.alloc(32, 1).toString('base64') },
    ...{ signed: 160, reason: 'The disk was lost; the newest backup is an hour older.' },
  }));
  await play.caughtUp();
};
