/**
 * Who is signed in with this browser. The refresh token is in a cookie that no script can read; the access token is in
 * memory only. All tabs share one session: one of them refreshes, and tells the others.
 */

import type { BrowserTokens } from "@client/schema";
import { signal } from "@preact/signals";
import { Problem, Unreachable } from "./problem";

interface Access {
  token: string;
  memberId: string;
  until: number;
}

type Said = { access: Access } | { ended: true } | { asks: true };

const REMEMBERED = "hearth.member"; // the id alone: it tells that a refresh is worth a try
const EARLY = 30_000; // ms before its end at which a token counts as over
const PATIENCE = 15_000; // ms for an answer

/** The id of the member; null when nobody is signed in, undefined until that is known. */
export const member = signal<string | null | undefined>(undefined);

let access: Access | undefined;
const others = new BroadcastChannel("hearth.session");

others.onmessage = ({ data }: MessageEvent<Said>) => {
  if ("access" in data) take(data.access);
  else if ("ended" in data) leave();
  else if (fresh(access)) others.postMessage({ access } satisfies Said);
};

function fresh(found: Access | undefined): found is Access {
  return found !== undefined && found.until - EARLY > Date.now();
}

function take(given: Access): void {
  access = given;
  localStorage.setItem(REMEMBERED, given.memberId);
  member.value = given.memberId;
}

function leave(): void {
  access = undefined;
  localStorage.removeItem(REMEMBERED);
  member.value = null;
}

/** Begin: go on with the session of this browser, if somebody was signed in. */
export async function begin(): Promise<void> {
  const known = localStorage.getItem(REMEMBERED);
  if (known === null) {
    member.value = null;
    return;
  }
  try {
    await token();
  } catch (error) {
    if (!(error instanceof Problem)) member.value = known; // the hub can't be reached: show what is kept here
  }
}

/** The access token, a fresh one if the present one is over or `stale`. Throws a Problem when the session has ended. */
export async function token(stale?: string): Promise<string> {
  if (fresh(access) && access.token !== stale) return access.token;
  return navigator.locks.request("hearth.session", async () => {
    if (!(fresh(access) && access.token !== stale)) await siblings();
    if (fresh(access) && access.token !== stale) return access.token;
    return refresh();
  });
}

/** Ask the other tabs for a token, for a moment. */
async function siblings(): Promise<void> {
  if (access !== undefined) return; // they would have told already
  others.postMessage({ asks: true } satisfies Said);
  await new Promise((done) => setTimeout(done, 50));
}

async function refresh(): Promise<string> {
  const response = await send(new Request("/v1/sessions/browser/refresh", { method: "POST" }));
  if (!response.ok) {
    const problem = await Problem.in(response);
    if (response.status === 401) {
      leave();
      others.postMessage({ ended: true } satisfies Said);
    }
    throw problem;
  }
  return opened(await response.json());
}

function opened(tokens: BrowserTokens): string {
  const until = Date.now() + tokens.expires_in * 1000;
  const given = { token: tokens.access_token, memberId: tokens.member_id, until };
  take(given);
  others.postMessage({ access: given } satisfies Said);
  return given.token;
}

/** Sign in. Throws a Problem with the hub's sentence when it refuses. */
export async function signIn(email: string, password: string): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ email, password });
  const response = await send(new Request("/v1/sessions/browser", { method: "POST", headers, body }));
  if (!response.ok) throw await Problem.in(response);
  opened(await response.json());
}

/** Sign out here, in all tabs. */
export async function signOut(): Promise<void> {
  try {
    const headers = { Authorization: `Bearer ${await token()}` };
    const response = await send(new Request("/v1/sessions/browser", { method: "DELETE", headers }));
    if (!response.ok && response.status !== 401) throw await Problem.in(response);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
  }
  leave();
  others.postMessage({ ended: true } satisfies Said);
}

/** Send a request, and wait PATIENCE for its answer. Throws Unreachable. */
export async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE)]) });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Unreachable("The hub can't be reached.", { cause: error });
  }
}
