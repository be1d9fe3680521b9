export { accountsContext } from './accounts.module.js';
export { checksContext } from './checks/checks.module.js';
export { holderLedger } from './ledger/holder-ledger.projection.js';
export { linesOf as ledgerLines } from './ledger/ledger.js';
export { currenciesOf } from './statements/statement.js';
export { readEcbFile } from './rates/ecb-file.js';
export { ratesDecider } from './rates/published-rates.js';
