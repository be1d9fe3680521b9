import base from '../../jest.config.js';

/** What needs real servers. They are started unless KAFKA_BROKERS and EVENTSTORE_URL name them; see `servers.ts`. */
/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/libs', '<rootDir>/infra', '<rootDir>/test'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Beside the suites of this shape: the life cycle of a commitment with the race of fifty for ten, as it is in one process; the demo is in
  // `whole-shape`. With PLEDGEBOOK_SCENARIOS=all every scenario, which takes a quarter of an hour.
  testMatch: [
    '**/*.services.ts',
    '**/test/{store-kurrent,eventstore-stand-in}/*.spec.ts',
    `**/test/scenarios/${process.env.PLEDGEBOOK_SCENARIOS === 'all' ? '*' : 'commitments'}.spec.ts`,
  ],
  globalSetup: '<rootDir>/test/services/start-servers.js',
  globalTeardown: '<rootDir>/test/services/stop-servers.js',
  // One after the other: the servers are shared, and times are measured on some of them.
  maxWorkers: 1,
  testTimeout: 120_000,
};
