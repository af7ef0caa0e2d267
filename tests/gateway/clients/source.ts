// A page with a browser's own EventSource: it opens the stream with a ticket, and comes back with another.
import { hearth } from "@hearth/client";

declare const process: { argv: [string, string, string, string, string]; exit(): never };
const [, , baseUrl, email, password] = process.argv;
const hub = hearth({ baseUrl });
const say = (fact: unknown) => console.log(JSON.stringify(fact));

async function listen(lastEventId: string, hear: (event: MessageEvent) => void) {
  const { data } = await hub.api.POST("/v1/notifications/stream/tickets");
  const query = new URLSearchParams({ ticket: data.ticket, last_event_id: lastEventId });
  const source = new EventSource(`${baseUrl}/v1/notifications/stream?${query}`);
  source.addEventListener("notification", (event) => {
    lastEventId = event.lastEventId;
    hear(event);
  });
  source.addEventListener("error", () => {
    source.close();
    setTimeout(() => listen(lastEventId, hear), 1000);
  });
}

await hub.signIn(email, password);
const { data: voice } = await hub.api.POST("/v1/feedback", { body: { text: "I need a lamp." } });
say(voice.id);
let left = 2;
await new Promise<void>((resolve) =>
  listen("", (event) => {
    say(JSON.parse(event.data).body);
    if (--left === 0) resolve();
  }),
);
process.exit();
