import type { Broker, OutgoingMessage } from '#bus-kafka';
import { TopicProducer } from '#bus-kafka';

/** What is told of the producers of a broker. */
export interface Watch {
  /** Before messages are handed over: they wait for it. */
  readonly sending: (messages: readonly OutgoingMessage[]) => Promise<void> | void;
  readonly acknowledged: (messages: readonly OutgoingMessage[]) => void;
}

/** The same broker, with its producers watched. */
export const watched = (broker: Broker, { sending, acknowledged }: Watch): Broker => {
  const producer = (): TopicProducer => {
    const of = broker.producer();
    return new (class extends TopicProducer {
      override async send(...[messages, wanted]: Parameters<TopicProducer['send']>) {
        await sending(messages);
        const sent = await of.send(messages, wanted);
        acknowledged(messages);
        return sent;
      }
      override close(): Promise<void> {
        return of.close();
      }
    })();
  };
  return new Proxy(broker, {
    get: (target, name) => {
      if (name === 'producer') return producer;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
};
