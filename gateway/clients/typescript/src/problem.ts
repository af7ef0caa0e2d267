import type { Problem as Document } from "./schema.js";

/** Why the platform refused something: `message` is a sentence for people, `code` a stable word for programs. */
export class Problem extends Error {
  readonly document: Document;

  constructor(document: Document) {
    super(document.detail);
    this.name = "Problem";
    this.document = document;
  }

  get code(): string {
    return this.document.code;
  }

  get status(): number {
    return this.document.status;
  }

  /** What an answer says, also one that comes from a proxy in between and is no problem document. */
  static async in(response: Response): Promise<Problem> {
    const text = await response.text();
    if (response.headers.get("Content-Type")?.startsWith("application/problem+json")) return new Problem(JSON.parse(text));
    const { status, statusText: title } = response;
    return new Problem({ type: "about:blank", title, status, detail: `${status} ${title}`, code: "unexpected" });
  }
}
