// A member's page behind a wire that swallows: the stream is given up, and what was missed is told.
import { hearth } from "@hearth/client";

declare const process: { argv: [string, string, string, string, string] };
declare const gc: () => void;
const [, , baseUrl, email, password] = process.argv;
const hub = hearth({ baseUrl });
const say = (fact: unknown) => console.log(JSON.stringify(fact));

await hub.signIn(email, password);
const { data: voice } = await hub.api.POST("/v1/feedback", { body: { text: "I need a lamp." } });
say(voice.id);

const leaving = new AbortController();
let told = 0;
const sweeping = setInterval(gc, 50); // what nobody holds is gone soon, a request for instance
for await (const { data: notification } of hub.notifications({ signal: leaving.signal })) {
  say([notification.kind, notification.body]);
  told += 1;
  if (told === 2) setTimeout(() => leaving.abort(), 500);
  else {
    await new Promise((resolve) => setTimeout(resolve, 2000)); // longer than three heartbeats
    say("a slow reader misses nothing, and is not taken for a silent stream");
  }
}
say("ended");
clearInterval(sweeping);
