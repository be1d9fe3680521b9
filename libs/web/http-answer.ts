/** What a route answers beside its body. A handler returns it; the pipeline sends it. */
export class HttpAnswer {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: object,
  ) {}
}
