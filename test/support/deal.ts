import type { As, TestApp } from './app.js';
import { sceneOf } from './scene.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
export const VANUATU: As = { party: 'state:VUT', role: 'npc' };
export const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const CAVR: As = { party: 'agency:cavr', role: 'implementer' };
/** It has a mandate over everything that is not sealed. */
export const AUDITOR: As = { party: 'auditor:court', role: 'auditor' };

export const usd = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });

/** Records of one deal, by their ids. */
export interface Deal {
  readonly need: string;
  readonly offer: string;
  readonly commitment: string;
  /** A need that its State has not submitted. */
  readonly draft: string;
}

/** A public need and offer, and a commitment from its proposal to a confirmed delivery, with a change that was declined on the way. */
export const dealIn = async (app: TestApp): Promise<Deal> => {
  const { created, command, opened } = sceneOf(() => app);
  for (const id of ['donor:japan', 'agency:cavr', 'auditor:court'])
    await created('/v1/parties', { id, name: id, category: 'ngo' }, COORDINATOR);
  const scope = { everything: true };
  const term = { from: '2026-01-01', to: '2026-12-31', reference: 'Decision 4/2026' };
  await created('/v1/mandates', { auditor: 'auditor:court', scope, ...term }, COORDINATOR);
  const filed = {
    title: 'Racks and locks',
    kinds: ['training'],
    instruments: ['ATT'],
    lines: [{ kind: 'training', description: 'Racks', quantity: usd('60000.00') }],
    authorityRef: 'Note Verbale 12/2026',
    visibility: 'public',
  };
  const draft = await created('/v1/needs', filed, VANUATU);
  const need = await opened(filed, VANUATU);
  await command(`/v1/needs/${need}/amend`, { problem: 'No "locks" & <script>alert(1)</script>' }, VANUATU);
  const lines = [{ kinds: ['training'], capacity: usd('80000.00') }];
  const offer = await created('/v1/offers', { title: 'Courses', lines, visibility: 'public' }, JAPAN);
  const legs = [{ offerLine: 1, needLine: 1, drawn: usd('50000.00') }];
  const proposed = { offerId: offer, needId: need, legs, implementer: 'agency:cavr' };
  const answer = await app.post('/v1/commitments', proposed, { as: JAPAN, headers: { prefer: 'wait=10' } });
  const commitment = answer.body.id as string;
  const path = `/v1/commitments/${commitment}`;
  await command(`${path}/accept`, {}, VANUATU);
  await command(`${path}/consent-task`, {}, CAVR);
  await command(`${path}/sign`, {}, JAPAN);
  await command(`${path}/sign`, {}, VANUATU);
  // What is proposed and declined between the sides is theirs.
  const less = { legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: usd('40000.00') }], reason: 'Racks cost less' };
  await command(`${path}/amend`, less, JAPAN);
  await command(`${path}/amend-decline`, { reason: { code: 'budget' } }, VANUATU);
  const delivered = { leg: 1, quantity: usd('50000.00'), date: '2026-03-01' };
  await command(`${path}/deliveries`, delivered, CAVR);
  await command(`${path}/deliveries/1/confirm`, {}, VANUATU);
  return { need, offer, commitment, draft };
};
