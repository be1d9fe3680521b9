import 'reflect-metadata';
import fc from 'fast-check';
import {
  AlsoChecked,
  Checked,
  CodeList,
  DecimalText,
  EmptyBody,
  Flag,
  Nested,
  PartyIdField,
  QuantityField,
  Text,
  WholeNumber,
} from './dto.js';
import { validated } from './validation.js';

class Part {
  @Text({ max: 5 })
  name!: string;

  @Nested(() => Part, { array: true, required: false, max: 3 })
  parts?: Part[];
}

class Whole {
  @PartyIdField({ kinds: ['donor', 'fund'] })
  party!: string;

  @Nested(() => Part, { required: false })
  part?: Part;

  @Text({ list: { max: 2 }, required: false })
  notes?: string[];

  @DecimalText({ as: 'percent', required: false })
  percent?: string;

  @Flag({ required: false })
  flag?: boolean;

  @WholeNumber({ min: 1, max: 3, required: false })
  rank?: number;

  @QuantityField({ required: false, measures: ['money'] })
  amount?: object;

  @Checked({
    name: 'twin',
    required: false,
    schema: {},
    faults: (value, dto) => (value === (dto as Whole).party ? [] : [{ path: 'deep[1]', message: 'differs' }]),
  })
  twin?: string;
}

class Filter {
  @WholeNumber({ min: 1, query: true, required: false })
  limit?: number;

  @Flag({ query: true, required: false })
  open?: boolean;

  @CodeList(['a'], { required: false })
  code?: string;
}

const errorsOf = (input: unknown): object => {
  const result = validated(Whole, input);
  return result.ok ? {} : Object.fromEntries(result.errors.map(({ field, message }) => [field, message]));
};

describe('validation', () => {
  it('keeps what is given and leaves out what is absent', () => {
    const result = validated(Whole, { party: 'donor:japan', part: { name: 'a' } });
    expect(result).toEqual({ ok: true, value: { party: 'donor:japan', part: { name: 'a' } } });
    if (result.ok) expect(Object.keys(result.value)).toEqual(['party', 'part']);
  });

  it('names every fault with its path, at any depth', () => {
    expect(
      errorsOf({
        party: 'state:VUT',
        part: { name: '', parts: [{ name: 'fine' }, { name: 'too long', parts: 1 }, {}], extra: 1 },
        notes: ['a', '', 'b'],
        percent: '101',
        flag: 'true',
        rank: 4,
        amount: { measure: 'seats', amount: '1' },
        twin: 'x',
      }),
    ).toEqual({
      party: 'must be a party id: donor:<slug>, fund:<slug>',
      'part.name': expect.stringContaining('must not be empty') as unknown,
      'part.parts[1].name': expect.stringContaining('at most 5') as unknown,
      'part.parts[1].parts': 'must be a list',
      'part.parts[2].name': 'is required',
      'part.extra': 'unknown field; known fields are name, parts',
      notes: 'must have at most 2 elements, has 3',
      percent: 'must be at most 100',
      flag: 'must be true or false',
      rank: 'must be a whole number from 1 to 3',
      'amount.measure': expect.any(String) as unknown,
      'twin.deep[1]': 'differs',
    });
  });

  it('asks for a required field whatever else is checked of it', () => {
    class Day {
      @Text()
      @AlsoChecked({ name: 'late', faults: () => [{ path: '', message: 'is late' }] })
      day!: string;
    }
    expect(validated(Day, {})).toEqual({ ok: false, errors: [{ field: 'day', message: 'is required' }] });
    expect(validated(Day, { day: 'x' })).toEqual({ ok: false, errors: [{ field: 'day', message: 'is late' }] });
    expect(() => {
      class Both {
        @Text()
        @Checked({ name: 'late', required: false, schema: {}, faults: () => [] })
        day!: string;
      }
      return Both;
    }).toThrow('Both.day is declared both required and optional');
  });

  it('takes nothing where nothing is asked', () => {
    expect(validated(EmptyBody, {})).toEqual({ ok: true, value: {} });
    const [first, second] = [validated(Filter, {}), validated(Filter, {})];
    expect(second).toEqual(first);
    expect(first).toEqual({ ok: true, value: {} });
    if (first.ok && second.ok) expect(second.value).not.toBe(first.value);
    expect(validated(Whole, {})).toEqual(validated(Whole, {}));
    expect(validated(Whole, {})).toMatchObject({ ok: false, errors: [{ field: 'party' }] });
    expect(validated(EmptyBody, { a: 1 })).toEqual({
      ok: false,
      errors: [{ field: 'a', message: 'unknown field; there are no fields here' }],
    });
  });

  it('reads parameters as they are written in an address', () => {
    expect(validated(Filter, { limit: '20', open: 'false' }, 'parameter')).toEqual({
      ok: true,
      value: { limit: 20, open: false },
    });
    expect(validated(Filter, { limit: '0x10', open: 'yes', code: 'b', sort: 'x' }, 'parameter')).toEqual({
      ok: false,
      errors: expect.arrayContaining([
        { field: 'limit', message: 'must be a whole number of at least 1' },
        { field: 'open', message: 'must be true or false' },
        { field: 'code', message: 'must be one of a' },
        { field: 'sort', message: 'unknown parameter; known parameters are limit, open, code' },
      ]) as unknown,
    });
  });

  it('never throws and never takes what it does not know, whatever is sent', () => {
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.dictionary(fc.constantFrom('party', 'part', 'notes', 'twin', 'zzz'), fc.jsonValue({ maxDepth: 3 })),
    );
    fc.assert(
      fc.property(anything, (input) => {
        const result = validated(Whole, input);
        if (result.ok) expect(Object.keys(result.value)).not.toContain('zzz');
        else expect(result.errors.length).toBeGreaterThan(0);
      }),
    );
  });
});
