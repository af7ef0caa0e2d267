/** The live stream: one tab reads it and tells the others. */

import { follow, type Told } from "@client/stream";
import { Problem } from "./problem";
import { token } from "./session";
import { language } from "./words";

type Hear = (told: Told) => void;

const told = new BroadcastChannel("hearth.live");
const hearers = new Set<Hear>();

told.onmessage = ({ data }: MessageEvent<Told>) => tell(data);

function tell(one: Told): void {
  for (const hear of hearers) hear(one);
}

/** Hear each new line until the returned function is called. */
export function hear(each: Hear): () => void {
  hearers.add(each);
  return () => hearers.delete(each);
}

/** Read the stream in this tab, once no other tab does, until `signal`. */
export async function listen(signal: AbortSignal): Promise<void> {
  try {
    await navigator.locks.request("hearth.live", { signal }, async () => {
      for await (const one of follow(open, { signal })) {
        tell(one);
        told.postMessage(one);
      }
    });
  } catch (error) {
    if (!signal.aborted && !(error instanceof Problem)) throw error;
  }
}

async function open(headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  const ask = async (stale?: string) => {
    const access = await token(stale);
    const all = { ...headers, Authorization: `Bearer ${access}`, "Accept-Language": language() };
    const response = await fetch("/v1/notifications/stream", { headers: all, signal: signal ?? null });
    return { access, response };
  };
  let { access, response } = await ask();
  if (response.status === 401) ({ response } = await ask(access));
  if (!response.ok) throw await Problem.in(response);
  return response;
}
