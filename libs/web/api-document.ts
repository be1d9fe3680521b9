/** The interface's OpenAPI document: built when it is first asked for, and kept. */
export class ApiDocument {
  private build: (() => object) | undefined;
  private document: object | undefined;

  /** How the document is built, once every route is known. */
  builtBy(build: () => object): void {
    this.build = build;
  }

  get value(): object {
    if (this.build === undefined) throw new Error('the document is read before its routes are known');
    this.document ??= this.build();
    return this.document;
  }
}
