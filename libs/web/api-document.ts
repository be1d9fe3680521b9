/** The interface's OpenAPI document: built once, when every route is known. */
export class ApiDocument {
  private document: object | undefined;

  get value(): object {
    if (this.document === undefined) throw new Error('the document is read before it is built');
    return this.document;
  }

  set value(document: object) {
    this.document = document;
  }
}
