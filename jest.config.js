const libs = [
  'kernel',
  'kernel-testing',
  'vocabulary',
  'sqlite',
  'store-sqlite',
  'store-kurrent',
  'bus-local',
  'bus-kafka',
  'read-database',
  'web',
  'hosting',
  'distributed',
  'services',
  'directory',
  'needs',
  'offers',
  'commitments',
  'reported',
  'matching',
  'allocation',
  'audit',
  'funds',
  'accounts',
  'documents',
];

/** @type {import('jest').Config} */
export default {
  rootDir: '.',
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  // The adapter for KurrentDB and the stand-in of its server: half a minute of kills and time-outs, run with the services.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/store-kurrent/', '<rootDir>/test/eventstore-stand-in/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    ...Object.fromEntries(libs.map((lib) => [`^#${lib}$`, `<rootDir>/libs/${lib}/index.ts`])),
    '^#bus-kafka/testing$': '<rootDir>/libs/bus-kafka/testing.fixture.ts',
    '^#allocation/testing$': '<rootDir>/libs/allocation/testing.fixture.ts',
    '^#directory/contract$': '<rootDir>/libs/directory/party.contract.ts',
    '^#needs/contract$': '<rootDir>/libs/needs/need.contract.ts',
    '^#offers/contract$': '<rootDir>/libs/offers/offer.contract.ts',
    '^#commitments/contract$': '<rootDir>/libs/commitments/commitment.contract.ts',
    '^#reported/contract$': '<rootDir>/libs/reported/reported.contract.ts',
    '^#funds/contract$': '<rootDir>/libs/funds/fund.contract.ts',
    '^#accounts/contract$': '<rootDir>/libs/accounts/accounts.contract.ts',
    '^#documents/contract$': '<rootDir>/libs/documents/document.contract.ts',
    '^#matching/contract$': '<rootDir>/libs/matching/matching.contract.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  coverageProvider: 'v8',
  collectCoverageFrom: ['libs/**/*.ts', 'apps/**/*.ts', '!**/*.spec.ts'],
  coverageDirectory: 'coverage',
  // Every core: two on the machine the checks are timed on.
  maxWorkers: '100%',
  // Bounds on what hangs, not on what is slow: a machine that does other work beside takes several times as long, to end a worker too.
  testTimeout: 120_000,
  workerGracefulExitTimeout: 30_000,
};
