/** What is wrong with a mailbox (RFC 5321 sizes; letters of any script), undefined where nothing is. */
export const mailboxFault = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return 'must be a text';
  const at = value.lastIndexOf('@');
  const [local, domain] = [value.slice(0, Math.max(at, 0)), value.slice(at + 1)];
  const isWhole =
    Buffer.byteLength(local) <= 64 &&
    Buffer.byteLength(value) <= 254 &&
    LOCAL_PART.test(local) &&
    domain.split('.').length > 1 &&
    domain.split('.').every((label) => LABEL.test(label));
  return isWhole ? undefined : 'must be one mailbox, such as ruth@example.org: no name, blanks or brackets around it';
};

/** What is wrong with a telephone number (ITU-T E.164), undefined where nothing is. */
export const telephoneFault = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\+[1-9][0-9]{6,14}$/.test(value)
    ? undefined
    : 'must be a number in E.164: + and 7 to 15 digits, country code first, no blanks, such as +6785550123';

const ATOM = String.raw`[\p{L}\p{M}\p{N}!#$%&'*+/=?^_{|}~\u0060-]+`;
const LOCAL_PART = new RegExp(String.raw`^${ATOM}(\.${ATOM})*$`, 'u');
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;
