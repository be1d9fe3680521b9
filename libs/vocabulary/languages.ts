/** A well-formed BCP 47 tag of the simple sort: language, then optional script and region (`en`, `fr-FR`, `zh-Hant`, `es-419`). */
const TAG = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/;

export function isLanguage(value: unknown): value is string {
  return typeof value === 'string' && TAG.test(value);
}
