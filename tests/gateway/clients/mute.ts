// A server that takes requests and never ends an answer: each call comes back all the same.
import { hearth } from "@hearth/client";

declare const process: { argv: [string, string, string, string, string] };
declare const gc: () => void;
const sweeping = setInterval(gc, 50); // what nobody holds is gone soon, a request for instance
const [, , baseUrl, email, password] = process.argv;
const { api, signIn, notifications } = hearth({ baseUrl, timeout: 300 });
const patient = hearth({ baseUrl });
const say = (fact: unknown) => console.log(JSON.stringify(fact));
const fails = (call: Promise<unknown>) => call.then(() => "it was answered", (error) => error.name);
const soon = () => {
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 300);
  return leaving.signal;
};

say(["no answer", await fails(api.GET("/v1/me"))]);
say(["half an answer", await fails(api.GET("/v1/house"))]);
say(["half a refusal", await fails(api.POST("/v1/feedback", { body: { text: "I need a lamp." } }))]);
const sheet = { headers: { Accept: "text/csv" }, parseAs: "text" } as const;
say(["half a spreadsheet", await fails(hearth({ baseUrl, timeout: 15 }).api.GET("/v1/events", sheet))]);
say(["signing in", await fails(signIn(email, password))]);
say(["aborted", await fails(patient.api.GET("/v1/me", { signal: soon() }))]);
say(["half an answer, aborted", await fails(patient.api.GET("/v1/house", { signal: soon() }))]);
const leaving = new AbortController();
setTimeout(() => leaving.abort(), 1000); // after the first try was given up
for await (const event of notifications({ signal: leaving.signal })) say(event);
say(["the stream", "ended"]);
clearInterval(sweeping);
