// The same client on a bad day: a wire between it and the platform counts, spoils and swallows.
import { hearth, Problem } from "@hearth/client";

declare const process: { argv: [string, string, string, string, string] };
const [, , baseUrl, email, password] = process.argv;
const say = (fact: unknown) => console.log(JSON.stringify(fact));

const asked: string[] = [];
const keys = new Set<string | null>();
const withToken: boolean[] = [];
let spoiled = "";
let last = "";
let swallow = 0;
let lost = "";

async function wire(request: Request, init: { signal: AbortSignal }): Promise<Response> {
  const path = new URL(request.url).pathname;
  if (path === lost) return new Promise(() => {});
  const token = request.headers.get("Authorization");
  asked.push(`${request.method} ${path}`);
  if (path === "/v1/feedback/claims") withToken.push(token !== null);
  if (token && token === spoiled) request.headers.set("Authorization", token.slice(0, -9) + "AAAAAAAAA");
  last = token ?? last;
  const response = await fetch(request, init);
  if (request.method !== "POST" || swallow === 0) return response;
  swallow -= 1;
  keys.add(request.headers.get("Idempotency-Key"));
  return new Response(null, { status: 503, headers: { "Retry-After": "0" } });
}

const hub = hearth({ baseUrl, fetch: wire, timeout: 5000 });
const me = () => hub.api.GET("/v1/me");
const fiveAtOnce = async () => {
  asked.length = 0;
  await Promise.all([me(), me(), me(), me(), me()]);
  return asked.filter((each) => each === "POST /v1/sessions/refresh").length;
};
await hub.signIn(email, password);
say(["fresh", await fiveAtOnce()]);

const now = Date.now;
Date.now = () => now() + 15 * 60_000;
say(["a quarter of an hour later", await fiveAtOnce()]);
Date.now = now;

spoiled = last;
say(["refused", await fiveAtOnce()]);

swallow = 2;
const { data: voice } = await hub.api.POST("/v1/feedback", { body: { text: "Only once, please." } });
const { data: mine } = await hub.api.GET("/v1/feedback", { params: { query: { mine: true } } });
say(["swallowed", keys.size, mine.items.map((each) => each.id === voice.id)]);

asked.length = 0;
swallow = 1;
const gone = await hub.api.POST("/v1/feedback/claims", { body: { claim_code: "none" } }).catch((error: unknown) => error);
say(["public", asked.length, withToken, gone instanceof Problem && gone.status]);

const wrong = await hub.api.POST("/v1/feedback", { body: { text: "" } }).catch((error: unknown) => error);
say(wrong instanceof Problem && [wrong.code, wrong.document.errors?.[0]?.field, wrong.message.startsWith("text:")]);

Date.now = () => now() + 15 * 60_000;
lost = "/v1/sessions/refresh";
const awake = setInterval(() => {}, 1000); // Node.js would end: no socket is waited for here
const leaving = new AbortController();
const left = hub.api.GET("/v1/me", { signal: leaving.signal }).catch((error: Error) => error.name);
const waiting = me().catch((error: Error) => error.name);
leaving.abort();
say(["tokens never came", await left, await waiting]);
clearInterval(awake);
