import { Checked, Sha256Field, Text, WholeNumber } from '#web';

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i;

/** The body of `POST /v1/documents`. */
export class DeclareDocumentDto {
  @Sha256Field({ description: 'Of the whole file' })
  sha256!: string;

  @WholeNumber({ min: 1, description: 'Bytes' })
  size!: number;

  @Checked({
    name: 'media-type',
    description: 'What the uploader takes the file to be; it is served as octets whatever it is',
    example: 'application/pdf',
    schema: { type: 'string' },
    faults: (value) =>
      typeof value === 'string' && MEDIA_TYPE.test(value)
        ? []
        : [{ path: '', message: 'must be a media type such as application/pdf' }],
  })
  mediaType!: string;

  @Text({ max: 255, required: false, description: 'Name of the file', example: 'note-verbale-12.pdf' })
  name?: string;
}
