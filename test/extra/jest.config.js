import base from '../../jest.config.js';

// Every caller sweeps over the hidden worlds and over every route, where `npm test` sends a few.
process.env.PLEDGEBOOK_EVERY_CALLER = 'yes';

/** The tests that start and kill processes, and the sweeps: minutes, not seconds. */
/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/extra', '<rootDir>/test/simulation', '<rootDir>/test/contract'],
  testMatch: ['**/*.extra.ts', '**/test/contract/{hidden,every-route}.spec.ts'],
  maxWorkers: 1,
  testTimeout: 600_000,
};
