// A page with the code of @hey-api/openapi-ts: it signs in and shows what comes.
import { listEvents, showMe, signIn } from "./made";
import { client } from "./made/client.gen";

declare const process: { argv: string[] };

async function main([baseUrl = "", email = "", password = ""]: string[]) {
  client.setConfig({ baseUrl, throwOnError: true });
  const { data: tokens } = await signIn({ body: { email, password }, throwOnError: true });
  client.setConfig({ auth: tokens.access_token });
  const { data: me } = await showMe({ throwOnError: true });
  const { data: events } = await listEvents({ query: { limit: 1 }, throwOnError: true });
  console.log(JSON.stringify([me.id, ...events.items.map((event) => [event.title, event.audience.everyone])]));
}
main(process.argv.slice(2));
