import fc from 'fast-check';
import {
  isLanguage,
  isSha256,
  isWebAddress,
  isWellFormedText,
  mailboxFault,
  telephoneFault,
  textFaults,
} from './index.js';

describe('texts', () => {
  it('may be any well-formed writing with tabs and newlines', () => {
    for (const text of ['Nikšić, Židovići – Pljevlja', 'a\tb\nc', '需要', 'مساعدة', '👩‍👩‍👧', 'x'.repeat(300)]) {
      expect(textFaults(text, { max: 300 })).toEqual([]);
    }
  });

  it.each([
    ['', 'blank'],
    [' \t\n', 'blank'],
    ['\u200b\ufeff\u00a0', 'blank'],
    ['a\u0000', 'control'],
    ['a\r\nb', 'control'],
    ['a\u007f', 'control'],
    ['a\u0085', 'control'],
    ['\ud800', 'surrogate'],
    ['a\udc00b', 'surrogate'],
    ['x'.repeat(301), 'at most 300'],
    [5, 'must be a text'],
    [null, 'must be a text'],
  ])('%j is refused as %s', (text, why) => {
    expect(textFaults(text, { max: 300 }).join()).toContain(why);
  });

  it('are counted in characters as people count them, not in halves of one', () => {
    expect(textFaults('😀'.repeat(300), { max: 300 })).toEqual([]);
    expect(textFaults('😀'.repeat(301), { max: 300 })).toHaveLength(1);
  });

  it('are well-formed exactly when UTF-8 keeps them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0xd7f0, max: 0xe00f })).map((units) => String.fromCharCode(...units)),
        (text) => {
          expect(isWellFormedText(text)).toBe(Buffer.from(text, 'utf8').toString('utf8') === text);
        },
      ),
    );
  });
});

describe('hashes, addresses and languages', () => {
  it('are accepted in one form only', () => {
    expect(['a'.repeat(64), 'A'.repeat(64), 'a'.repeat(63), 5].map(isSha256)).toEqual([true, false, false, false]);
    expect(['https://salw.osce.org/x?y=1', 'http://a.example'].map(isWebAddress)).toEqual([true, true]);
    expect(
      ['javascript:alert(1)', 'ftp://a.example', '//a', 'https://u:p@a.example', 'https://', 'https://a b', 'x'].map(
        isWebAddress,
      ),
    ).toEqual(Array(7).fill(false));
    expect(['en', 'fr-FR', 'zh-Hant', 'es-419', 'tpi', 'bi'].map(isLanguage)).toEqual(Array(6).fill(true));
    expect(['EN', 'english', 'e', 'en_GB', 'en-', '', 5].map(isLanguage)).toEqual(Array(7).fill(false));
  });
});

describe('mailboxes and telephone numbers', () => {
  it('are taken as they are written', () => {
    const mailboxes = ['ruth@example.org', 'r.k+salw@mofa.gov.vu', 'пошта@пример.рф', "o'neil@a-b.example"];
    expect([...mailboxes, `${'x'.repeat(64)}@example.org`].filter((each) => mailboxFault(each) !== undefined)).toEqual(
      [],
    );
    const numbers = ['+6785550123', '+12025550123', '+123456789012345'];
    expect(numbers.filter((each) => telephoneFault(each) !== undefined)).toEqual([]);
  });

  it.each([
    '',
    'ruth',
    'ruth@',
    '@example.org',
    'ruth@localhost',
    'ruth @example.org',
    'Ruth <ruth@example.org>',
    'ruth@example..org',
    '.ruth@example.org',
    'ruth.@example.org',
    'ru..th@example.org',
    'ruth@-example.org',
    'ruth@example.org,npc@example.org',
    'ruth@example.org\n',
    'a@b@example.org',
    `${'x'.repeat(65)}@example.org`,
    `ruth@${'x.'.repeat(130)}org`,
    5,
    null,
  ])('a mailbox is not %j', (mailbox) => {
    expect(mailboxFault(mailbox)).toMatch(/^must be/);
  });

  it.each([
    '',
    '6785550123',
    '+0678555012',
    '+678 555 0123',
    '+678-555',
    '+123456',
    '+1234567890123456',
    '+67855501２3',
    678,
  ])('a telephone number is not %j', (number) => {
    expect(telephoneFault(number)).toMatch(/E\.164/);
  });
});
