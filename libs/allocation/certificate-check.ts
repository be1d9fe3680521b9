import { messageOf } from '#kernel';
import type { LinearModel, Row } from './canonical-model.js';
import {
  activityOf,
  at,
  canonicalText,
  gapLimitOf,
  modelOf,
  objectiveOf,
  proofOf,
  sha256Of,
  SHARE_SLACK,
  SHARE_UNIT,
  VALUE_UNIT,
} from './canonical-model.js';
import type { CanonicalPart, StageClaim } from './certificate.js';
import { CERTIFICATE_FORMAT, MICRO } from './certificate.js';

export interface CertificateReport {
  /** True only where nothing was left in doubt. */
  readonly ok: boolean;
  /** What was reckoned again and found as stated, in words. */
  readonly verified: readonly string[];
  /** What the certificate states and no arithmetic can show. */
  readonly unverified: readonly string[];
  /** What is wrong, each naming its number. */
  readonly doubts: readonly string[];
}

class Doubt extends Error {}

/**
 * Reckons a certificate again, exactly and without a solver: that every quantity is a whole number within every bound of the model, that
 * the duals prove the stated bound, and that objective, gap and every reduced cost are as stated. Never throws.
 */
export const checkCertificate = (text: string): CertificateReport => {
  const verified: string[] = [];
  const unverified: string[] = [];
  const doubts: string[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      doubts.push(error instanceof Doubt ? error.message : `it cannot be read: ${messageOf(error)}`);
    }
  };
  let objective = 0n;
  let bound = 0n;
  attempt(() => {
    if (!text.endsWith('\n')) throw new Doubt('the text ends without a newline: it was cut short');
    const lines = text.slice(0, -1).split('\n');
    const sealLine = lines.pop() ?? '';
    const records = lines.map((line, place) => recordOf(line, `line ${place + 1}`));
    const maxMin = readHeader(records.shift());
    const numbers = records.map((record, place) => {
      const where = `line ${place + 2}`;
      let number = place;
      attempt(() => {
        const part = checkPart(record, where, maxMin, verified, unverified);
        number = part.number;
        objective += part.objective;
        bound += part.bound;
      });
      return number;
    });
    numbers.forEach((number, place) => {
      if (place > 0 && number <= at(numbers, place - 1)) throw new Doubt(`part ${number} stands after a later one`);
    });
    readSeal(recordOf(sealLine, 'the seal'), { text, sealLine, parts: records.length, objective, bound });
    verified.push(`the seal: ${records.length} parts, and the sums of their objectives and bounds`);
  });
  return { ok: doubts.length === 0, verified, unverified, doubts };
};

type Fields = Readonly<Record<string, unknown>>;

const recordOf = (line: string, where: string): Fields => {
  const record = fieldsOf(JSON.parse(line), where);
  if (canonicalText(record) !== line) throw new Doubt(`${where} is not in canonical form`);
  return record;
};

const readHeader = (record: Fields | undefined): boolean => {
  if (record === undefined) throw new Doubt('the header is missing');
  only(record, 'the header', ['record', 'format', 'objective', 'seed', 'solver']);
  if (record.record !== 'header' || record.format !== CERTIFICATE_FORMAT) {
    throw new Doubt(`the header must say the format ${CERTIFICATE_FORMAT}`);
  }
  if (record.objective !== 'max-value' && record.objective !== 'max-min') {
    throw new Doubt('the header must say an objective: max-value or max-min');
  }
  place(record.seed, 'seed', 2 ** 31);
  const solver = fieldsOf(record.solver, 'solver');
  only(solver, 'solver', ['name', 'version', 'options']);
  words(solver.name, 'solver.name');
  words(solver.version, 'solver.version');
  for (const [name, value] of Object.entries(fieldsOf(solver.options, 'solver.options')))
    words(value, `solver.options.${name}`);
  return record.objective === 'max-min';
};

interface Stated {
  readonly text: string;
  readonly sealLine: string;
  readonly parts: number;
  readonly objective: bigint;
  readonly bound: bigint;
}

const readSeal = (seal: Fields, { text, sealLine, parts, objective, bound }: Stated): void => {
  only(seal, 'the seal', ['record', 'parts', 'objective', 'bound', 'gap', 'sha256']);
  if (seal.record !== 'seal') throw new Doubt('the last line must be the seal');
  if (seal.parts !== parts) throw new Doubt(`the seal counts ${String(seal.parts)} parts, there are ${parts}`);
  same(seal.objective, objective, "the seal's objective");
  same(seal.bound, bound, "the seal's bound");
  same(seal.gap, bound - objective, "the seal's gap");
  const sealed = sha256Of(text.slice(0, -(sealLine.length + 1)));
  if (seal.sha256 !== sealed)
    throw new Doubt(`the seal says ${String(seal.sha256)}, the lines before it give ${sealed}`);
};

const checkPart = (
  record: Fields,
  where: string,
  maxMin: boolean,
  verified: string[],
  unverified: string[],
): { readonly number: number; readonly objective: bigint; readonly bound: bigint } => {
  only(record, where, ['record', 'part', 'model', 'modelSha256', 'stages']);
  if (record.record !== 'part') throw new Doubt(`${where} must be a part`);
  const number = place(record.part, `${where}: part`, Number.MAX_SAFE_INTEGER);
  const name = `part ${number}`;
  const hashed = sha256Of(canonicalText(record.model));
  if (record.modelSha256 !== hashed) {
    throw new Doubt(`${name}: modelSha256 is stated as ${String(record.modelSha256)}, the model gives ${hashed}`);
  }
  const part = readPart(record.model, name);
  const stages = listOf(record.stages, `${name}: stages`).map((stage, index) =>
    readStage(stage, `${name}, stage ${index + 1}`),
  );
  const [first, second] = stages;
  if (first === undefined || stages.length !== (maxMin ? 2 : 1)) {
    throw new Doubt(`${name} must have ${maxMin ? 'two stages' : 'one stage'}`);
  }
  const last = maxMin ? second : first;
  if (last?.stage !== 'value' || (maxMin && first.stage !== 'share'))
    throw new Doubt(`${name}: the stages are not in order`);
  if (first.leastShare !== '0') throw new Doubt(`${name}: leastShare of the first stage must be 0`);
  let stated = { objective: 0n, bound: 0n };
  stages.forEach((claim, index) => {
    const at = `${name}, stage ${index + 1}`;
    stated = checkStage(part, claim, at);
    if (claim.stage === 'share') checkLeastShare(stated, last, name);
    verified.push(
      `${at} (${claim.stage}): ${part.arcs.need.length} pairs of ${part.needs.length} need lines and ${part.offers.length} offer lines in ${part.measure}; ` +
        `objective ${claim.objective}, bound ${claim.bound}, gap ${claim.gap}${claim.gapLimit === null ? '' : `, allowed ${claim.gapLimit}`}`,
    );
    if (claim.gapLimit === null) {
      unverified.push(
        `${at}: the bound is proven, not that it can be reached; how near the solver says that it came to the best there is: ${claim.solver.gap}`,
      );
    }
  });
  return { number, ...stated };
};

/** What the second stage demands must be what the first one reached, or, where wholeness comes in, nothing beyond its bound. */
const checkLeastShare = (
  first: { readonly objective: bigint; readonly bound: bigint },
  value: StageClaim,
  name: string,
): void => {
  const leastShare = BigInt(value.leastShare);
  const perUnit = VALUE_UNIT / SHARE_UNIT;
  if (leastShare * perUnit > first.bound)
    throw new Doubt(`${name}: leastShare ${leastShare} is beyond what the first stage proves possible`);
  // Whole choices may leave less possible than fractions do.
  if (value.gapLimit !== String(gapLimitOf('value', BigInt(value.bound), 'linear'))) return;
  const reached = first.objective / perUnit - SHARE_SLACK;
  const expected = reached > 0n ? reached : 0n;
  if (leastShare !== expected)
    throw new Doubt(`${name}: leastShare is stated as ${leastShare}, the first stage gives ${expected}`);
};

const checkStage = (
  part: CanonicalPart,
  claim: StageClaim,
  name: string,
): { readonly objective: bigint; readonly bound: bigint } => {
  const model = modelOf(part, claim);
  const denominator = BigInt(claim.denominator);
  const expected = claim.stage === 'value' ? 1n : SHARE_UNIT;
  if (denominator !== expected)
    throw new Doubt(`${name}: denominator is stated as ${denominator}, it must be ${expected}`);
  const values = claim.values.map(BigInt);
  const duals = claim.duals.map(BigInt);
  counted(values.length, model.costs.length, `${name}: values`);
  counted(duals.length, model.rows.length, `${name}: duals`);
  counted(claim.reducedCosts.length, model.costs.length, `${name}: reducedCosts`);
  checkFeasible(model, values, denominator, name);
  duals.forEach((dual, row) => {
    if (dual < 0n) throw new Doubt(`${name}: the dual of ${rowName(at(model.rows, row))} is ${dual}, below 0`);
  });
  const proof = proofOf(model, duals);
  proof.reducedCosts.forEach((cost, column) => {
    same(claim.reducedCosts[column], cost, `${name}: the reduced cost of column ${column}`);
  });
  const objective = objectiveOf(model, values, denominator);
  if (objective === undefined) throw new Doubt(`${name}: the objective of these values is no whole number of its unit`);
  same(claim.objective, objective, `${name}: objective`);
  same(claim.bound, proof.bound, `${name}: bound`);
  const gap = proof.bound - objective;
  same(claim.gap, gap, `${name}: gap`);
  if (claim.gapLimit !== null) {
    const limit = BigInt(claim.gapLimit);
    if (
      limit !== gapLimitOf(claim.stage, proof.bound, 'linear') &&
      limit !== gapLimitOf(claim.stage, proof.bound, 'whole')
    ) {
      throw new Doubt(
        `${name}: gapLimit is stated as ${limit}, of a bound of ${proof.bound} it is neither a millionth nor a thousandth`,
      );
    }
    if (gap > limit) throw new Doubt(`${name}: the gap ${gap} is above the ${limit} allowed`);
  }
  return { objective, bound: proof.bound };
};

const checkFeasible = (model: LinearModel, values: readonly bigint[], denominator: bigint, name: string): void => {
  values.forEach((value, column) => {
    const upper = at(model.uppers, column) * denominator;
    if (value < 0n || value > upper)
      throw new Doubt(`${name}: value ${column} is ${value}, it must be from 0 to ${upper}`);
  });
  if (denominator === 1n) {
    model.choices.forEach((choice, arc) => {
      if (choice >= 0)
        same(String(at(values, choice)), at(values, arc) > 0n ? 1n : 0n, `${name}: the choice of pair ${arc}`);
    });
  }
  for (const row of model.rows) {
    const activity = activityOf(row, values);
    const bound = row.bound * denominator;
    if (row.sense === 'at-most' ? activity > bound : activity < bound) {
      throw new Doubt(
        `${name}: ${rowName(row)} comes to ${activity}, it must be ${row.sense.replace('-', ' ')} ${bound}`,
      );
    }
  }
};

const rowName = ({ kind, of }: Row): string => `the row ${kind} ${of}`;

const readPart = (value: unknown, name: string): CanonicalPart => {
  const part = fieldsOf(value, `${name}: model`);
  only(part, `${name}: model`, ['measure', 'needs', 'offers', 'arcs', 'budgets', 'floors']);
  const needs = listOf(part.needs, `${name}: needs`).map((entry, index) => {
    const where = `${name}: need ${index}`;
    const need = fieldsOf(entry, where);
    only(need, where, ['needId', 'line', 'outstanding', 'weight', 'singleSource']);
    if (typeof need.singleSource !== 'boolean') throw new Doubt(`${where}: singleSource must be true or false`);
    return {
      needId: words(need.needId, `${where}: needId`),
      line: place(need.line, `${where}: line`, Number.MAX_SAFE_INTEGER),
      outstanding: positive(need.outstanding, `${where}: outstanding`),
      weight: place(need.weight, `${where}: weight`, Number.MAX_SAFE_INTEGER),
      singleSource: need.singleSource,
    };
  });
  const offers = listOf(part.offers, `${name}: offers`).map((entry, index) => {
    const where = `${name}: offer ${index}`;
    const offer = fieldsOf(entry, where);
    only(offer, where, ['offerId', 'line', 'available', 'minimumLot']);
    return {
      offerId: words(offer.offerId, `${where}: offerId`),
      line: place(offer.line, `${where}: line`, Number.MAX_SAFE_INTEGER),
      available: offer.available === 'unlimited' ? 'unlimited' : natural(offer.available, `${where}: available`),
      minimumLot: natural(offer.minimumLot, `${where}: minimumLot`),
    };
  });
  const arcs = fieldsOf(part.arcs, `${name}: arcs`);
  only(arcs, `${name}: arcs`, ['need', 'offer', 'score']);
  const column = (field: string, below: number): number[] =>
    listOf(arcs[field], `${name}: arcs.${field}`).map((entry, index) =>
      place(entry, `${name}: arcs.${field}[${index}]`, below),
    );
  const need = column('need', needs.length);
  const offer = column('offer', offers.length);
  const score = column('score', MICRO + 1);
  counted(offer.length, need.length, `${name}: arcs.offer`);
  counted(score.length, need.length, `${name}: arcs.score`);
  distinct(
    needs.map(({ needId, line }) => canonicalText([needId, line])),
    `${name}: needs`,
  );
  distinct(
    offers.map(({ offerId, line }) => canonicalText([offerId, line])),
    `${name}: offers`,
  );
  distinct(
    need.map((line, index) => `${line} ${at(offer, index)}`),
    `${name}: arcs`,
  );
  const members = (entry: Fields, where: string, below: number): number[] => {
    const found = listOf(entry.members, where).map((member, index) => place(member, `${where}[${index}]`, below));
    distinct(found.map(String), where);
    return found;
  };
  return {
    measure: words(part.measure, `${name}: measure`),
    needs,
    offers,
    arcs: { need, offer, score },
    budgets: listOf(part.budgets, `${name}: budgets`).map((entry, index) => {
      const where = `${name}: budget ${index}`;
      const budget = fieldsOf(entry, where);
      only(budget, where, ['side', 'of', 'quantity', 'members']);
      const { side } = budget;
      if (side !== 'need' && side !== 'offer') throw new Doubt(`${where}: side must be need or offer`);
      const below = side === 'need' ? needs.length : offers.length;
      const of = words(budget.of, `${where}: of`);
      return {
        side,
        of,
        quantity: natural(budget.quantity, `${where}: quantity`),
        members: members(budget, `${where}: members`, below),
      };
    }),
    floors: listOf(part.floors, `${name}: floors`).map((entry, index) => {
      const where = `${name}: floor ${index}`;
      const floor = fieldsOf(entry, where);
      only(floor, where, ['of', 'quantity', 'members']);
      const of = words(floor.of, `${where}: of`);
      return {
        of,
        quantity: natural(floor.quantity, `${where}: quantity`),
        members: members(floor, `${where}: members`, needs.length),
      };
    }),
  };
};

const readStage = (value: unknown, name: string): StageClaim => {
  const stage = fieldsOf(value, name);
  only(stage, name, [
    'stage',
    'leastShare',
    'denominator',
    'values',
    'duals',
    'reducedCosts',
    'objective',
    'bound',
    'gap',
    'gapLimit',
    'solver',
  ]);
  if (stage.stage !== 'share' && stage.stage !== 'value') throw new Doubt(`${name}: stage must be share or value`);
  const solver = fieldsOf(stage.solver, `${name}: solver`);
  only(solver, `${name}: solver`, ['status', 'iterations', 'nodes', 'gap']);
  const figures = (field: string): string[] =>
    listOf(stage[field], `${name}: ${field}`).map((entry, index) => figure(entry, `${name}: ${field}[${index}]`));
  return {
    stage: stage.stage,
    leastShare: natural(stage.leastShare, `${name}: leastShare`),
    denominator: positive(stage.denominator, `${name}: denominator`),
    values: figures('values'),
    duals: figures('duals'),
    reducedCosts: figures('reducedCosts'),
    objective: figure(stage.objective, `${name}: objective`),
    bound: figure(stage.bound, `${name}: bound`),
    gap: figure(stage.gap, `${name}: gap`),
    gapLimit: stage.gapLimit === null ? null : figure(stage.gapLimit, `${name}: gapLimit`),
    solver: {
      status: words(solver.status, `${name}: solver.status`),
      iterations: words(solver.iterations, `${name}: solver.iterations`),
      nodes: words(solver.nodes, `${name}: solver.nodes`),
      gap: words(solver.gap, `${name}: solver.gap`),
    },
  };
};

const fieldsOf = (value: unknown, where: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Doubt(`${where} must be an object`);
  return value as Fields;
};

const listOf = (value: unknown, where: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Doubt(`${where} must be a list`);
  return value;
};

const only = (fields: Fields, where: string, known: readonly string[]): void => {
  const other = Object.keys(fields).find((field) => !known.includes(field));
  if (other !== undefined) throw new Doubt(`${where} has a field ${JSON.stringify(other)} that means nothing here`);
};

const words = (value: unknown, where: string): string => {
  if (typeof value !== 'string') throw new Doubt(`${where} must be a text`);
  return value;
};

const figure = (value: unknown, where: string): string => {
  if (typeof value !== 'string' || !/^(0|-?[1-9][0-9]*)$/.test(value)) {
    throw new Doubt(`${where} must be a whole number as a text, it is ${JSON.stringify(value)}`);
  }
  return value;
};

const natural = (value: unknown, where: string): string => {
  const text = figure(value, where);
  if (text.startsWith('-')) throw new Doubt(`${where} is ${text}, it must not be below 0`);
  return text;
};

const positive = (value: unknown, where: string): string => {
  const text = natural(value, where);
  if (text === '0') throw new Doubt(`${where} must be above 0`);
  return text;
};

/** A whole number from 0 to below `below`. */
const place = (value: unknown, where: string, below: number): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value >= below) {
    throw new Doubt(`${where} must be a whole number from 0 to below ${below}, it is ${JSON.stringify(value)}`);
  }
  return value;
};

const counted = (found: number, expected: number, where: string): void => {
  if (found !== expected) throw new Doubt(`${where} must be ${expected}, there are ${found}`);
};

const distinct = (names: readonly string[], where: string): void => {
  if (new Set(names).size !== names.length) throw new Doubt(`${where} names something twice`);
};

const same = (stated: unknown, reckoned: bigint, where: string): void => {
  if (stated !== String(reckoned)) throw new Doubt(`${where} is stated as ${String(stated)}, it comes to ${reckoned}`);
};
