import type { ReadModel, RecordedEvent } from '#kernel';
import { applyToModel } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { NetworkMember, PartyEvent } from './party.contract.js';
import { partiesProjection, RegisteredNetworks } from './parties.projection.js';

let position = 0n;
const party = (id: string, ...events: readonly PartyEvent[]): RecordedEvent[] =>
  events.map((event, revision) => recordedEvent(`party-${id}`, revision, event, {}, (position += 1n)));
const registered = (id: string, members?: readonly NetworkMember[]): PartyEvent => ({
  type: 'PartyRegistered',
  data: { id, name: id, ...(members === undefined ? {} : { members }) },
});

const withNetworks = <T>(events: readonly RecordedEvent[], use: (networks: RegisteredNetworks) => T): T => {
  const database = new MemoryReadDatabase();
  const model: ReadModel = database.open(partiesProjection);
  try {
    applyToModel(partiesProjection, model, events, (event) => event);
    return use(new RegisteredNetworks(() => model));
  } finally {
    model.close();
    database.close();
  }
};

describe('the register of parties', () => {
  it('has the same rows in every batch size and after every restart (I13)', () => {
    const rows = projectionScenario(partiesProjection, [
      ...party('donor:japan', registered('donor:japan'), { type: 'PartyAmended', data: { name: 'Japan' } }),
      ...party('network:msg', registered('network:msg', [{ party: 'state:VUT', as: 'member' }]), {
        type: 'PartyAmended',
        data: { members: [{ party: 'state:FJI', as: 'member' }] },
      }),
      ...party(
        'state:VUT',
        {
          type: 'DesignationRecorded',
          data: {
            designation: 'd1',
            office: 'npc',
            powers: ['file'],
            holder: 's1',
            authorityRef: 'n',
            from: '2026-01-01',
          },
        },
        { type: 'DesignationRevoked', data: { designation: 'd1' } },
      ),
      ...party('auditor:court', {
        type: 'MandateGiven',
        data: {
          mandate: 'm1',
          scope: { everything: true },
          sealed: false,
          from: '2026-01-01',
          appointedBy: 'agency:secretariat',
          reference: 'r',
        },
      }),
      ...party('fund:x', registered('fund:x'), { type: 'PartyRetired', data: {} }),
    ]);
    expect(rows.party).toHaveLength(5);
    expect(rows.member).toHaveLength(1);
    expect(rows.paper).toHaveLength(2);
  });
});

describe('networks', () => {
  const own = party(
    'network:new',
    registered('network:new', [
      { party: 'state:VUT', as: 'member', from: '2020-01-01', to: '2025-12-31' },
      { party: 'state:FJI', as: 'associate', from: '2020-01-01' },
      { party: 'state:PNG', as: 'observer' },
    ]),
  );

  it('have their members of the day, ends included', () => {
    withNetworks(own, (networks) => {
      const on = (day: string): string[] => networks.membersOf('network:new', day).map((member) => member.party);
      expect(on('2019-12-31')).toEqual(['state:PNG']);
      expect(on('2025-12-31')).toEqual(['state:VUT', 'state:FJI', 'state:PNG']);
      expect(on('2026-01-01')).toEqual(['state:FJI', 'state:PNG']);
      expect(networks.membersOf('network:nobody', '2026-01-01')).toEqual([]);
    });
  });

  it('that nobody registered are those of the reference table, until the coordinator registers their members', () => {
    withNetworks(own, (networks) => {
      expect(networks.networksOf('state:VUT', '2025-06-01')).toEqual(['network:msg', 'network:new', 'network:pif']);
      expect(networks.networksOf('state:PNG', '2025-06-01')).toEqual(['network:msg', 'network:pif']);
      expect(networks.networksOf('state:IDN', '2026-06-01')).toContain('network:msg');
    });
    const replaced = party('network:msg', registered('network:msg', [{ party: 'state:SLB', as: 'member' }]));
    withNetworks(replaced, (networks) => {
      expect(networks.networksOf('state:VUT', '2025-06-01')).toEqual(['network:pif']);
      expect(networks.networksOf('state:SLB', '2025-06-01')).toContain('network:msg');
    });
    withNetworks(party('network:msg', registered('network:msg')), (networks) => {
      expect(networks.networksOf('state:VUT', '2025-06-01')).toContain('network:msg');
    });
  });
});
