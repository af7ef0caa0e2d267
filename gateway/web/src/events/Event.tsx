/** One event. */

import { moment, say } from "../ground/words";
import { Page, Shown } from "../parts/basics";
import { useEvent } from "./calls";

const LONG: Intl.DateTimeFormatOptions = { dateStyle: "full", timeStyle: "short" };

export default function EventPage({ id }: { id: string }) {
  const asked = useEvent(id);
  return (
    <Page title={asked.data?.title ?? say("events", "title")}>
      <Shown asked={asked}>
        {(event) => (
          <div class="stack">
            {event.status !== "published" && <p class={`status ${event.status}`}>{say("events", event.status)}</p>}
            {event.cancel_reason && (
              <p class="words" dir="auto">
                {event.cancel_reason}
              </p>
            )}
            <div class="tight">
              <h2>{say("events", "when")}</h2>
              <p>
                <time dateTime={event.starts_at}>{moment(event.starts_at, LONG)}</time> –{" "}
                <time dateTime={event.ends_at}>{moment(event.ends_at, { timeStyle: "short" })}</time>
              </p>
              <p class="soft">{say("events", "zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
            </div>
            {event.place && (
              <div class="tight">
                <h2>{say("events", "where")}</h2>
                <p dir="auto">{event.place}</p>
              </div>
            )}
            {event.link && (
              <div class="tight">
                <h2>{say("events", "link")}</h2>
                <p>
                  <a href={event.link} rel="nofollow ugc noopener noreferrer" target="_blank">
                    {new URL(event.link).host}
                  </a>
                </p>
              </div>
            )}
            {event.host_name && (
              <div class="tight">
                <h2>{say("events", "host")}</h2>
                <p dir="auto">{event.host_name}</p>
              </div>
            )}
            {event.description && (
              <div class="tight">
                <h2>{say("events", "about")}</h2>
                <p class="words" dir="auto">
                  {event.description}
                </p>
              </div>
            )}
          </div>
        )}
      </Shown>
    </Page>
  );
}
