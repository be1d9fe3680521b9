import type { NetworkMember } from '#directory/contract';
import { Networks } from '#directory/contract';
import { ManualClock, SYSTEM_PROCESS, Transactor } from '#kernel';
import { InMemoryEventStore, stateAfter } from '#kernel-testing';
import { membersOf, organisationsOf } from '#vocabulary';
import { caller, CONTENT, drafted, opened, submitted } from './need.fixture.js';
import type { NeedCommand, NeedState } from './need.js';
import { needDecider } from './need.js';
import { ClaimedNeeds, StreamNeedReader } from './need-reading.js';
import type { NeedRecords } from './need-records.js';
import { labelOf, NO_BONDS, sightOf } from './need-sight.js';

const NOW = '2026-01-10T00:00:00.000Z';

class TableNetworks extends Networks {
  override membersOf(network: string, on: string): readonly NetworkMember[] {
    return membersOf(network, on);
  }

  override networksOf(party: string, on: string): readonly string[] {
    return organisationsOf(party, on);
  }
}

const readerOf = (
  events: Parameters<typeof stateAfter<NeedState, NeedCommand, ReturnType<typeof drafted>, never>>[1],
): StreamNeedReader => {
  const state = stateAfter(needDecider, events);
  const transactor = { load: () => Promise.resolve({ state }) } as unknown as Transactor;
  const records = {
    parts: (who: ReturnType<typeof caller>, id: string) =>
      Promise.resolve(sightOf(who, labelOf(id, state), NO_BONDS, NOW)),
  } as unknown as NeedRecords;
  return new StreamNeedReader(transactor, records, new TableNetworks(), new ManualClock(NOW));
};

describe('what other contexts read of a need', () => {
  it('are its facts, with the networks and regions of its State on that day', async () => {
    const period = { from: '2026-01-01', to: '2026-12-31' };
    const facts = await readerOf([drafted({ period }), submitted(), opened]).facts('n1');
    expect(facts).toMatchObject({
      needId: 'n1',
      status: 'open',
      filer: 'state:VUT',
      beneficiaries: ['state:VUT'],
      period,
    });
    expect(facts?.networks).toEqual(['network:msg', 'network:pif']);
    expect(facts?.regions).toEqual(expect.arrayContaining(['001', '009', '054', '722']));
    expect((await readerOf([drafted({}, 'network:msg')]).facts('n1'))?.networks).toEqual(['network:msg']);
    expect(await readerOf([]).facts('n1')).toBeUndefined();
  });

  it('is what the caller may see of it', async () => {
    const reader = readerOf([drafted(), submitted(), opened]);
    expect(await reader.sight('n1', caller('donor:japan', 'donor-desk'))).toEqual({
      summary: true,
      body: true,
      annex: false,
    });
    expect(await readerOf([]).sight('n1', caller('state:VUT', 'npc'))).toEqual({
      summary: false,
      body: false,
      annex: false,
    });
  });
});

describe('a claimed publication', () => {
  const claim = {
    id: '01900000-0000-7000-8000-00000000000e',
    claimant: { party: 'state:VUT', role: 'npc', sovereign: 'VUT' },
    claimedFrom: '01900000-0000-7000-8000-00000000000c',
  };

  it('becomes a draft of the claimant, once, whoever carries the command', async () => {
    const { authorityRef: _ref, ...content } = CONTENT;
    const command = new ClaimedNeeds().draft({ ...claim, kind: 'need', content: { ...content, lines: [] } });
    const store = new InMemoryEventStore();
    const transactor = new Transactor(store, new ManualClock(NOW));
    const carry = (commandId: string): ReturnType<Transactor['transact']> =>
      transactor.transact(command.decider, command.id, command.command, {
        commandId,
        correlationId: 'c',
        causationId: null,
        actor: SYSTEM_PROCESS,
      });
    expect((await carry('01900000-0000-7000-8000-000000000001')).kind).toBe('written');
    expect((await carry('01900000-0000-7000-8000-000000000002')).kind).toBe('unchanged');
    expect((await transactor.load(needDecider, claim.id)).state).toMatchObject({
      status: 'draft',
      filer: 'state:VUT',
      claimedFrom: claim.claimedFrom,
    });
    await store.close();
  });

  it('of another kind is not drafted here', () => {
    const offer = { ...claim, kind: 'offer' as const, content: {} as never };
    expect(() => new ClaimedNeeds().draft(offer)).toThrow('no need');
  });
});
