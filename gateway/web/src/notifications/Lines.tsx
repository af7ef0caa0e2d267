/** Lines of an inbox: each leads to the place where one can act, and says why it came. */

import type { Notification } from "@client/schema";
import { Link } from "wouter-preact";
import { distance, moment } from "../ground/words";
import { useMarking } from "./calls";

export function Lines({ lines }: { lines: Notification[] }) {
  const marking = useMarking();
  return (
    <ul class="list">
      {lines.map((line) => (
        <li key={line.id}>
          <Link
            href={line.link.replace(/^\/v1/, "")}
            class={`line ${line.read_at ? "" : "unread"}`}
            onClick={() => line.read_at || marking.mutate(line.id)}
          >
            <span class="what" dir="auto">
              {line.title}
            </span>
            {line.body && (
              <span class="words" dir="auto">
                {line.body}
              </span>
            )}
            <span class="soft">
              {line.reason} ·{" "}
              <time dateTime={line.at} title={moment(line.at)}>
                {distance(line.at)}
              </time>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
