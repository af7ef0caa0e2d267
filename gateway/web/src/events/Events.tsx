/** Events as lines of a list. */

import type { Event } from "@client/schema";
import { Link } from "wouter-preact";
import { moment } from "../ground/words";

const WHEN: Intl.DateTimeFormatOptions = {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "numeric",
  minute: "2-digit",
};

export function Events({ events }: { events: Event[] }) {
  return (
    <ul class="list">
      {events.map((event) => (
        <li key={event.id}>
          <Link class="line" href={`/events/${event.id}`}>
            <time class="soft" dateTime={event.starts_at}>
              {moment(event.starts_at, WHEN)}
            </time>
            <span class="what" dir="auto">
              {event.title}
            </span>
            {event.place && (
              <span class="soft" dir="auto">
                {event.place}
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}
