import base from '../../jest.config.js';

/** The tests that start and kill processes: minutes, not seconds. */
/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/extra', '<rootDir>/test/simulation'],
  testMatch: ['**/*.extra.ts'],
  maxWorkers: 1,
  testTimeout: 600_000,
};
