import type { As, TestApp } from './app.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };

/** What a scenario does on its way to what it is about; whatever is refused ends it. */
export interface Scene {
  /** Creates a record and answers its id. */
  readonly created: (path: string, body: object, as: As) => Promise<string>;
  /** Sends a command to a record as it is now. */
  readonly command: (path: string, body: object, as: As) => Promise<void>;
  /** Files a need that asks to be circulated and published, and opens it. */
  readonly opened: (body: object, as: As) => Promise<string>;
}

/** @param app the service, once it is started */
export const sceneOf = (app: () => TestApp): Scene => {
  const scene: Scene = {
    created: async (path, body, as) => {
      const answer = await app().post(path, body, { as });
      if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
      return answer.body.id as string;
    },
    command: async (path, body, as) => {
      const record = path.split('/').slice(0, 4).join('/');
      const { etag = '"0"' } = (await app().get(record, { as })).headers;
      const answer = await app().post(path, body, { as, headers: { 'if-match': etag, prefer: 'wait=5' } });
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    },
    opened: async (body, as) => {
      const id = await scene.created('/v1/needs', body, as);
      await scene.command(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, as);
      await scene.command(`/v1/needs/${id}/open`, {}, COORDINATOR);
      return id;
    },
  };
  return scene;
};
