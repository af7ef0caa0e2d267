// A member's page, written with the generated client only: what it learns it prints, a line of JSON each.
import { hearth } from "@hearth/client";

declare const process: { argv: [string, string, string, string, string] };
const [, , baseUrl, email, password] = process.argv;
const hub = hearth({ baseUrl });
const say = (fact: unknown) => console.log(JSON.stringify(fact));

say(await hub.signIn(email, "not the password").catch((problem) => problem.code));
say(await hub.signIn(email, password));

const { data: events } = await hub.api.GET("/v1/events", { params: { query: { limit: 100 } } });
say(events.items.map((event) => event.title));

const { data: voice } = await hub.api.POST("/v1/feedback", { body: { text: "I need a quiet room.", kind: "need" } });
say(voice.id);

let left = 2;
for await (const { data: notification } of hub.notifications()) {
  say([notification.kind, notification.body]);
  if (--left === 0) break;
}

await hub.signOut();
say(await hub.api.GET("/v1/me").catch((problem) => problem.status));
