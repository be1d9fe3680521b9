import { describe, expect, it } from '@jest/globals';
import { csvLine, wantsCsv } from './csv.js';

describe('a table of text', () => {
  it('quotes what would break a row, and doubles quotes in it', () => {
    expect(csvLine(['plain', 'a,b', 'say "so"', 'two\nlines', ''])).toBe('plain,"a,b","say ""so""","two\nlines",\r\n');
  });

  it('has no cell that a spreadsheet would run, and leaves numbers numbers', () => {
    expect(csvLine(['=1+1', '+1', '@SUM(A1)', '-cmd', '\tx', '-12.50', '7'])).toBe(
      "'=1+1,'+1,'@SUM(A1),'-cmd,'\tx,-12.50,7\r\n",
    );
  });

  it('is answered where it is named among what is accepted', () => {
    expect(wantsCsv('application/json, text/csv;q=0.5')).toBe(true);
    const accepts = ['Text/CSV ; charset=utf-8', 'text/csv;q=0, */*', 'text/csv; q=0.05'];
    expect(accepts.map(wantsCsv)).toEqual([true, false, true]);
    expect([wantsCsv('application/json'), wantsCsv('*/*'), wantsCsv(undefined)]).toEqual([false, false, false]);
  });
});
