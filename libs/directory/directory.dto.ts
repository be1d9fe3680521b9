import type { Fault, MemberRole, PartyCategory, Power, Visibility } from '#vocabulary';
import {
  dateFault,
  DOCUMENT_KINDS,
  isRealDate,
  mailboxFault,
  MEMBER_ROLES,
  partyFault,
  PARTY_CATEGORIES,
  POWERS,
  telephoneFault,
  VISIBILITIES,
} from '#vocabulary';
import {
  Checked,
  CodeList,
  DateField,
  Flag,
  ListQuery,
  Nested,
  PartyIdField,
  Sha256Field,
  StateCode,
  Text,
  Title,
} from '#web';
import type { FieldError } from '#web';
import type { MandateScope, PartyContent } from './party.contract.js';

/** A date that is not before the field `from` beside it. */
const LastDay = (required: boolean): PropertyDecorator =>
  Checked({
    name: 'last-day',
    required,
    schema: { type: 'string', format: 'date' },
    example: '2027-12-31',
    faults: (value, dto) => {
      const message = dateFault(value);
      if (message !== undefined) return [{ path: '', message }];
      const { from } = dto as { readonly from?: unknown };
      return isRealDate(from) && (value as string) < from
        ? [{ path: '', message: `must not be before from (${from})` }]
        : [];
    },
  });

export class ContactDto {
  @Text({ required: false, max: 300 })
  office?: string;

  @Text({ required: false, max: 300, example: 'salw@example.org' })
  mailbox?: string;
}

export class NetworkMemberDto {
  @PartyIdField({ kinds: ['state', 'authority'] })
  party!: string;

  @CodeList(MEMBER_ROLES)
  as!: MemberRole;

  @DateField({ required: false })
  from?: string;

  @LastDay(false)
  to?: string;
}

export class PartyDocumentDto {
  @CodeList(DOCUMENT_KINDS)
  kind!: string;

  @Title()
  title!: string;

  @Sha256Field()
  sha256!: string;

  @CodeList(VISIBILITIES, { required: false, description: '`public` unless told, as the register is' })
  label?: Visibility;
}

class PartyFieldsDto {
  @CodeList(PARTY_CATEGORIES, { required: false, example: 'bilateral' })
  category?: PartyCategory;

  @StateCode({ required: false, example: 'JPN' })
  ofState?: string;

  @Text({ required: false, description: 'Mandatory for authority: parties' })
  footnote?: string;

  @Nested(() => ContactDto, { required: false })
  contact?: ContactDto;

  @Nested(() => NetworkMemberDto, { required: false, array: true, max: 300, once: ['party', 'from'] })
  members?: NetworkMemberDto[];

  @Nested(() => PartyDocumentDto, { required: false, array: true, once: ['kind', 'title', 'sha256', 'label'] })
  documents?: PartyDocumentDto[];
}

export class RegisterPartyDto extends PartyFieldsDto {
  @PartyIdField({ example: 'donor:japan' })
  id!: string;

  @Title({ example: 'Japan, donor desk' })
  name!: string;
}

export class AmendPartyDto extends PartyFieldsDto {
  @Title({ required: false })
  name?: string;
}

/** The fields of a registration or amendment, whoever made the object. */
type PartyFields = Pick<AmendPartyDto, keyof AmendPartyDto>;

/** What the party's kind asks of its fields. */
export const partyFaults = (id: string, fields: PartyFields, creation: boolean): readonly FieldError[] => {
  const faults: FieldError[] = [];
  const [kind = '', slug = ''] = id.split(':');
  if (creation && kind === 'authority' && fields.footnote === undefined) {
    faults.push({ field: 'footnote', message: 'is required for an authority: no view on its status is taken' });
  }
  if (kind === 'state' && fields.ofState !== undefined && fields.ofState !== slug) {
    faults.push({ field: 'ofState', message: `must be ${slug} or left out: a State belongs to itself` });
  }
  if (kind !== 'network' && fields.members !== undefined) {
    faults.push({ field: 'members', message: 'are for networks only: leave it out' });
  }
  return faults;
};

const present = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The fields as events hold them. */
export const contentOf = ({
  name,
  category,
  ofState,
  footnote,
  contact,
  members,
  documents,
}: PartyFields): Partial<PartyContent> =>
  present({
    name,
    category,
    ofState,
    footnote,
    contact: contact === undefined ? undefined : present(contact),
    members: members?.map(present),
    documents: documents?.map(present),
  });

export class DesignationDto {
  @PartyIdField({ example: 'state:VUT' })
  party!: string;

  @Title({ example: 'Permanent Mission, disarmament section', description: 'As the party names it' })
  office!: string;

  @CodeList(POWERS, { array: true, min: 1, example: ['file', 'sign'] })
  powers!: Power[];

  @Text({ max: 500, description: 'The `sub` of the person’s token; kept as an opaque reference' })
  holder!: string;

  @Text({ example: 'Note Verbale 3/2026' })
  authorityRef!: string;

  @DateField({ example: '2026-01-01' })
  from!: string;

  @LastDay(false)
  to?: string;
}

const faultsBy =
  (faultOf: (value: unknown) => string | undefined) =>
  (value: unknown): readonly Fault[] => {
    const message = faultOf(value);
    return message === undefined ? [] : [{ path: '', message }];
  };

/** Personal data: sealed before it is recorded, and gone with the holder's erasure. */
export class ContactPointDto {
  @Title({ required: false, example: 'Ruth Kalsakau' })
  name?: string;

  @Checked({
    name: 'mailbox',
    required: false,
    schema: { type: 'string', format: 'email', maxLength: 254 },
    example: 'ruth@example.org',
    faults: faultsBy(mailboxFault),
  })
  mailbox?: string;

  @Checked({
    name: 'telephone',
    required: false,
    schema: { type: 'string', pattern: '^\\+[1-9][0-9]{6,14}$' },
    description: 'E.164: country code first, no blanks',
    example: '+6785550123',
    faults: faultsBy(telephoneFault),
  })
  telephone?: string;
}

/** The operator says on whose order; a party that erases its own people need not. */
export class EraseSubjectDto {
  @PartyIdField({
    required: false,
    example: 'state:KIR',
    description: 'The party that ordered it; your own unless told',
  })
  orderedBy?: string;

  @Text({ required: false, max: 300, example: 'Note Verbale 7/2026' })
  reference?: string;
}

const RECORD_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const scopeFaults = (value: unknown): readonly Fault[] => {
  const help = 'must be {"everything":true}, {"parties":[…]} or {"records":[…]}';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path: '', message: help }];
  const entries = Object.entries(value);
  const [[name, content] = ['', undefined], ...others] = entries;
  if (others.length > 0) return [{ path: '', message: help }];
  if (name === 'everything') return content === true ? [] : [{ path: name, message: 'must be true' }];
  if (name !== 'parties' && name !== 'records') return [{ path: name, message: help }];
  if (!Array.isArray(content) || content.length === 0 || content.length > 1000) {
    return [{ path: name, message: 'must be a list of 1 to 1000 ids' }];
  }
  return content.flatMap((each: unknown, index): Fault[] => {
    const message =
      name === 'parties'
        ? partyFault(each)
        : typeof each === 'string' && RECORD_ID.test(each)
          ? undefined
          : 'must be the id of a record';
    const path = `${name}[${index}]`;
    if (message !== undefined) return [{ path, message }];
    return content.indexOf(each) < index ? [{ path, message: 'stands here twice: name it once' }] : [];
  });
};

export class MandateDto {
  @PartyIdField({ kinds: ['auditor'] })
  auditor!: string;

  @Checked({
    name: 'scope',
    schema: { type: 'object' },
    example: { everything: true },
    faults: scopeFaults,
  })
  scope!: MandateScope;

  @Flag({ required: false, description: 'Opens sealed parts: by their owner only' })
  sealed?: boolean;

  @DateField({ example: '2026-01-01' })
  from!: string;

  @LastDay(false)
  to?: string;

  @Text({ example: 'Decision 4/2026' })
  reference!: string;
}

export class PartyListQuery extends ListQuery {
  @CodeList(PARTY_CATEGORIES, { required: false })
  category?: PartyCategory;

  @StateCode({ required: false })
  ofState?: string;

  @PartyIdField({ kinds: ['network'], required: false, description: 'Members of this network today' })
  network?: string;

  @Text({ required: false, max: 300 })
  q?: string;
}

export class PaperListQuery extends ListQuery {
  @PartyIdField({ required: false })
  party?: string;
}
