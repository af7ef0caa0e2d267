import { Problem } from "./problem.js";
import type { Credentials, Tokens } from "./schema.js";
import { wait } from "./wait.js";

export type Fetch = (request: Request) => Promise<Response>;

/** POSTs that need no access token. They get none: a claim code must lead to nobody. */
export const PUBLIC = ["/v1/members", "/v1/sessions", "/v1/sessions/refresh", "/v1/feedback/claims"];

const MARGIN = 30_000; // milliseconds before its end in which an access token is exchanged already
const TRIES = 4;
const PATIENCE = 30; // seconds that an answer may ask to wait before it is better to tell a person

/** Sends requests as whoever is signed in. The tokens are in memory only, and nowhere else. */
export class Session {
  readonly #baseUrl: string;
  readonly #fetch: Fetch;
  #tokens: (Tokens & { until: number }) | undefined;
  #renewing: Promise<void> | undefined;

  constructor(baseUrl: string, fetch: Fetch) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetch;
  }

  async open(credentials: Credentials): Promise<string> {
    this.#tokens = await this.#exchange("/v1/sessions", credentials);
    return this.#tokens.member_id;
  }

  async close(): Promise<void> {
    const request = new Request(`${this.#baseUrl}/v1/sessions/current`, { method: "DELETE" });
    try {
      await this.send(request);
    } finally {
      this.#tokens = undefined;
    }
  }

  /**
   * Send a request with the access token: once more when that is refused, and a few times when the platform asks to try
   * later and a second try does no harm. Throws Problem for every refusal that is left.
   */
  async send(request: Request): Promise<Response> {
    const open = request.method === "POST" && PUBLIC.some((path) => new URL(request.url).pathname.endsWith(path));
    if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    }
    const repeatable = ["GET", "HEAD", "POST"].includes(request.method) && !open;
    let refused: string | undefined;
    for (let tries = 1; ; tries++) {
      const attempt = request.clone();
      const token = open ? undefined : await this.#token(refused);
      if (token) attempt.headers.set("Authorization", `Bearer ${token}`);
      const response = await this.#fetch(attempt);
      if (response.status < 400) return response;
      const later = Number(response.headers.get("Retry-After") ?? 1);
      const expired = response.status === 401 && token && !refused;
      const busy = [429, 503].includes(response.status) && repeatable && tries < TRIES && later <= PATIENCE;
      if (!expired && !busy) throw await Problem.in(response);
      await response.body?.cancel();
      if (expired) refused = token;
      else await wait(later * 1000, request.signal);
    }
  }

  async #token(refused?: string): Promise<string | undefined> {
    const tokens = this.#tokens;
    if (tokens && (tokens.access_token === refused || Date.now() > tokens.until - MARGIN)) {
      await (this.#renewing ??= this.#renew(tokens).finally(() => (this.#renewing = undefined)));
    }
    return this.#tokens?.access_token;
  }

  /** A refresh token works once: using it twice would end the session, so all who need a fresh one wait for the same. */
  async #renew(tokens: Tokens): Promise<void> {
    try {
      const fresh = await this.#exchange("/v1/sessions/refresh", { refresh_token: tokens.refresh_token });
      if (this.#tokens === tokens) this.#tokens = fresh;
    } catch (error) {
      if (error instanceof Problem && error.status === 401 && this.#tokens === tokens) this.#tokens = undefined;
      throw error;
    }
  }

  async #exchange(path: string, body: object): Promise<Tokens & { until: number }> {
    const headers = { "Content-Type": "application/json" };
    const request = new Request(this.#baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    const tokens = (await (await this.send(request)).json()) as Tokens;
    return { ...tokens, until: Date.now() + tokens.expires_in * 1000 };
  }
}
