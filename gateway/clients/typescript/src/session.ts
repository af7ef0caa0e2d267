import { Problem } from "./problem.js";
import type { Credentials, SignedIn, Tokens } from "./schema.js";
import { unless, wait } from "./wait.js";

/** `init.signal` ends the request, and the reading of its answer, at the latest at the time limit. */
export type Fetch = (request: Request, init: { signal: AbortSignal }) => Promise<Response>;

// An engine may clear a request away although its answer is still being read, and with it the way from the signal that the
// request was made with to that answer. So a request stays as long as its answer.
const asked = new WeakMap<object, Request>();

/**
 * Where an application keeps device tokens, one for each address, from one visit to the next. Whoever shows the token of
 * an earlier sign-in is not shut out when others guess the password. It is a secret, but alone it opens nothing.
 *
 * A `Map` is one that lasts as long as the page. In a browser this one lasts longer; where people share a computer, the
 * next of them can read the addresses in it:
 *
 *     const devices: Devices = {
 *       get: (email) => localStorage.getItem(`hearth device ${email}`),
 *       set: (email, token) => localStorage.setItem(`hearth device ${email}`, token),
 *     };
 */
export interface Devices {
  /** The token of an address, if there is one. */
  get(email: string): Kept | Promise<Kept>;
  /** Keep the token of an address in the place of an older one. It is called after each sign-in. */
  set(email: string, token: string): unknown;
}
type Kept = string | null | undefined;

/** POSTs that need no access token. They get none: a claim code must lead to nobody. */
export const PUBLIC = [
  "/v1/members",
  "/v1/sessions",
  "/v1/sessions/refresh",
  "/v1/sessions/browser",
  "/v1/sessions/browser/refresh",
  "/v1/password-resets",
  "/v1/feedback/claims",
];

const MARGIN = 30_000; // milliseconds before its end in which an access token is exchanged already
const TRIES = 4;
const SHEET = 20; // times as long as another answer a spreadsheet may take: it has all rows of a list
const PATIENCE = 30; // seconds that an answer may ask to wait before it is better to tell a person

/** Sends requests as whoever is signed in. The tokens are in memory only; device tokens are where `devices` keeps them. */
export class Session {
  readonly #baseUrl: string;
  readonly #fetch: Fetch;
  readonly #devices: Devices;
  readonly #timeout: number;
  #tokens: (Tokens & { until: number }) | undefined;
  #renewing: Promise<void> | undefined;

  constructor(baseUrl: string, fetch: Fetch, devices: Devices, timeout: number) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetch;
    this.#devices = devices;
    this.#timeout = timeout;
  }

  async open(email: string, password: string): Promise<string> {
    const address = email.trim().toLowerCase(); // which the platform takes for the same
    const credentials: Credentials = { email, password };
    const known = await this.#devices.get(address);
    if (known) credentials.device_token = known;
    const tokens = await this.#exchange<SignedIn>("/v1/sessions", credentials);
    this.#tokens = tokens;
    await this.#devices.set(address, tokens.device_token);
    return tokens.member_id;
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
   * later and a second try does no harm. Throws Problem for every refusal that is left, and a TimeoutError for a try that
   * takes too long. Of an `endless` answer only the beginning has a limit.
   */
  async send(request: Request, { endless = false } = {}): Promise<Response> {
    const open = request.method === "POST" && PUBLIC.some((path) => new URL(request.url).pathname.endsWith(path));
    if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    }
    const sheet = request.headers.get("Accept")?.includes("text/csv");
    const repeatable = ["GET", "HEAD", "POST"].includes(request.method) && !open;
    let refused: string | undefined;
    for (let tries = 1; ; tries++) {
      const limit = AbortSignal.any([request.signal, AbortSignal.timeout(this.#timeout * (sheet ? SHEET : 1))]);
      const token = open ? undefined : await unless(limit, this.#token(refused));
      const attempt = request.clone();
      if (token) attempt.headers.set("Authorization", `Bearer ${token}`);
      const response = await unless(limit, this.#fetch(attempt, { signal: endless ? request.signal : limit }));
      asked.set(response.body ?? response, request);
      if (response.status < 400) return response;
      const later = Number(response.headers.get("Retry-After") ?? 1);
      const expired = response.status === 401 && token && !refused;
      const busy = [429, 503].includes(response.status) && repeatable && tries < TRIES && later <= PATIENCE;
      if (!expired && !busy) throw await unless(limit, Problem.in(response));
      void response.body?.cancel().catch(() => {}); // it may have broken
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

  /**
   * All who need fresh tokens wait for the same exchange. Another tab may exchange the same refresh token at the same time
   * and gets the same next one. But a token that is used more than 30 seconds after its first use ends the session.
   */
  async #renew(tokens: Tokens): Promise<void> {
    try {
      const fresh = await this.#exchange<Tokens>("/v1/sessions/refresh", { refresh_token: tokens.refresh_token });
      if (this.#tokens === tokens) this.#tokens = fresh;
    } catch (error) {
      if (error instanceof Problem && error.status === 401 && this.#tokens === tokens) this.#tokens = undefined;
      throw error;
    }
  }

  async #exchange<T extends Tokens>(path: string, body: object): Promise<T & { until: number }> {
    const headers = { "Content-Type": "application/json" };
    const request = new Request(this.#baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    const tokens = (await (await this.send(request)).json()) as T;
    return { ...tokens, until: Date.now() + tokens.expires_in * 1000 };
  }
}
