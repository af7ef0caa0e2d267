import { Problem } from "./problem.js";
import type { Notification } from "./schema.js";
import { unless, wait } from "./wait.js";

export interface Following {
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** The `lastEventId` of an event: what came after it is told first. */
  lastEventId?: string;
}

/** One event of the live stream. */
export interface Told {
  lastEventId: string;
  type: string;
  data: Notification;
}

const REMEMBERED = 1000; // events, to tell a repeated one
const MISSED = 3; // heartbeats in a row, and the connection is dead
const OPENING = 30_000; // milliseconds until a stream must have begun
const LONGEST = 8; // pauses that the pause grows to while nobody answers

/**
 * The live stream as an endless iteration: whenever it ends or falls silent, it is opened again where it was; each event
 * comes once.
 */
export async function* follow(
  open: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>,
  { signal, lastEventId }: Following,
): AsyncGenerator<Told, void, undefined> {
  const seen = new Set<string>();
  let pause = 3000;
  let heartbeat = 15_000; // milliseconds, until the stream says otherwise
  let failures = 0;
  while (!signal?.aborted) {
    const left = new AbortController();
    try {
      const until = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
      const opened = open(lastEventId ? { "Last-Event-ID": lastEventId } : {}, until);
      const response = await unless(AbortSignal.timeout(OPENING), opened);
      failures = 0;
      for await (const { id, retry, event, data, ...said } of blocks(response.body!, until, () => MISSED * heartbeat)) {
        if (retry && /^\d+$/.test(retry)) pause = Number(retry);
        if (said["heartbeat"] && /^\d+$/.test(said["heartbeat"])) heartbeat = Number(said["heartbeat"]);
        if (id) lastEventId = id;
        if (!data || !id || seen.has(id)) continue;
        seen.add(id);
        if (seen.size > REMEMBERED) seen.delete(seen.values().next().value!);
        yield { lastEventId: id, type: event ?? "message", data: JSON.parse(data) };
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof Problem && error.status < 500 && error.status !== 429) throw error;
      failures += 1;
    } finally {
      left.abort(); // else a connection that never answered would stay
    }
    await wait(pause * Math.min(2 ** failures, LONGEST), signal).catch(() => {});
  }
}

/** The blocks of an event stream, each as its fields. Throws a TimeoutError when nothing comes for `silence()`. */
async function* blocks(
  body: ReadableStream<Uint8Array>,
  until: AbortSignal,
  silence: () => number,
): AsyncGenerator<Record<string, string>> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const next = () => unless(AbortSignal.any([until, AbortSignal.timeout(silence())]), reader.read());
  let rest = "";
  try {
    for (let read = await next(); !read.done; read = await next()) {
      rest += decoder.decode(read.value, { stream: true });
      const whole = rest.split("\n\n");
      rest = whole.pop()!;
      yield* whole.map((block) => Object.fromEntries(block.split("\n").map(field)));
    }
  } finally {
    void reader.cancel().catch(() => {}); // it may have broken, or never say that it has ended
  }
}

function field(line: string): [string, string] {
  const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
  return [name, value];
}
