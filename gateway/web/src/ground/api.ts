/** Calls to the hub, typed by its API's description. A refusal is thrown as a Problem. */

import type { paths } from "@client/schema";
import createClient from "openapi-fetch";
import { Problem } from "./problem";
import { send, token } from "./session";
import { language } from "./words";

async function authorised(request: Request): Promise<Response> {
  request.headers.set("Accept-Language", language());
  const again = request.clone();
  const first = await token();
  request.headers.set("Authorization", `Bearer ${first}`);
  let response = await send(request);
  if (response.status === 401) {
    again.headers.set("Authorization", `Bearer ${await token(first)}`);
    response = await send(again);
  }
  if (!response.ok) throw await Problem.in(response);
  return response;
}

async function open(request: Request): Promise<Response> {
  request.headers.set("Accept-Language", language());
  const response = await send(request);
  if (!response.ok) throw await Problem.in(response);
  return response;
}

const baseUrl = location.origin;

/** Calls as the signed-in member. */
export const hub = createClient<paths>({ baseUrl, fetch: authorised });

/** Calls that need nobody signed in. */
export const door = createClient<paths>({ baseUrl, fetch: open });

/** The answer's content. Refusals were thrown before, and nothing here asks for a list as CSV, which is text. */
export async function content<T>(answer: Promise<{ data?: T }>): Promise<Exclude<NonNullable<T>, string>> {
  return (await answer).data as Exclude<NonNullable<T>, string>;
}
