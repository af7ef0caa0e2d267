import createClient, { type FetchResponse, type MaybeOptionalInit, type ParseAs } from "openapi-fetch";
import type { paths } from "./schema.js";
import { type Devices, type Fetch, Session } from "./session.js";
import { type Following, follow, type Told } from "./stream.js";

export { Problem } from "./problem.js";
export type * from "./schema.js";
export type { Devices, Fetch, Following, Told };

type Method = "get" | "put" | "post" | "patch" | "delete";
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P][M] extends object ? P : never }[keyof paths];
// Lists can also be had as CSV (with `parseAs: "text"`): what is not said is JSON.
// Of openapi-fetch's own methods the types let unknown fields pass; here a misspelt one does not compile.
type Init<I, As> = undefined extends I ? [(I & { parseAs?: As })?] : [I & { parseAs?: As }];
type Answer<Operation, As> = FetchResponse<Operation & {}, { parseAs: As }, "application/json" | "application/problem+json">;
type Call<M extends Method> = <P extends PathsWith<M>, As extends ParseAs = "json">(
  path: P,
  ...init: Init<MaybeOptionalInit<paths[P], M>, As>
) => Promise<Extract<Answer<paths[P][M], As>, { data: unknown }>>;

/** A call to a path for each method: `{ data, response }`, or a Problem is thrown. */
export type Api = { [M in Method as Uppercase<M>]: Call<M> };

export interface Hearth {
  api: Api;
  /** Sign in; the member's id. What `devices` throws is thrown on. */
  signIn(email: string, password: string): Promise<string>;
  signOut(): Promise<void>;
  /** What reaches my inbox from now on, or since `lastEventId`, until `signal` or `break`. */
  notifications(following?: Following): AsyncGenerator<Told, void, undefined>;
}

export interface Options {
  /** The address of the platform, such as `https://hub.example`. */
  baseUrl: string;
  fetch?: Fetch;
  /** Where device tokens are kept from one visit to the next; without it, in memory. */
  devices?: Devices;
  /**
   * Milliseconds that each try of a call may take, 30 seconds if nothing is said; a spreadsheet may take twenty times as
   * long. Then the call is given up with a TimeoutError. A call ends earlier with the `signal` that it is given.
   */
  timeout?: number;
}

/** A client of the platform at `baseUrl`; nobody is signed in yet. */
export function hearth(options: Options): Hearth {
  const { baseUrl, fetch = globalThis.fetch, devices = new Map<string, string>(), timeout = 30_000 } = options;
  const root = baseUrl.replace(/\/$/, "");
  const session = new Session(root, (request, init) => fetch(request, init), devices, timeout);
  const open = (headers: Record<string, string>, signal: AbortSignal) =>
    session.send(new Request(`${root}/v1/notifications/stream`, { headers, signal }), { endless: true });
  return {
    api: createClient<paths>({ baseUrl: root, fetch: (request) => session.send(request) }) as unknown as Api,
    signIn: (email, password) => session.open(email, password),
    signOut: () => session.close(),
    notifications: (following = {}) => follow(open, following),
  };
}
