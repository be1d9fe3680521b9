/**
 * Stream `document-<sha256>`. The bytes lie beside the log, under their hash; the log holds who brought them and what they are called.
 * One event per party that uploaded the whole file: whoever lists a hash without having had the file shows it to nobody.
 */
export interface DocumentEvent {
  readonly type: 'DocumentStored';
  readonly data: {
    /** Lower-case hexadecimal; checked against the bytes. */
    readonly sha256: string;
    /** Bytes. */
    readonly size: number;
    /** As the uploader declared it. Never believed: files are served as octets. */
    readonly mediaType: string;
    readonly name?: string;
    readonly party: string;
  };
}
