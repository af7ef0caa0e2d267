// A page with the types of openapi-typescript as they come: it signs in and shows what comes.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

declare const process: { argv: string[] };

async function main([baseUrl = "", email = "", password = ""]: string[]) {
  const hub = createClient<paths>({ baseUrl });
  const { data: tokens } = await hub.POST("/v1/sessions", { body: { email, password } });
  const headers = { Authorization: `Bearer ${tokens!.access_token}` };
  const { data: me } = await hub.GET("/v1/me", { headers });
  const { data: events } = await hub.GET("/v1/events", { headers, params: { query: { limit: 1 } } });
  const found = events as Exclude<typeof events, string | undefined>; // a list may also come as a spreadsheet
  console.log(JSON.stringify([me!.id, ...found.items.map((event) => [event.title, event.audience.everyone])]));
}
main(process.argv.slice(2));
