/** Voices as lines of a list. */

import type { Voice } from "@client/schema";
import { Link } from "wouter-preact";
import { moment, say } from "../ground/words";

export function Voices({ voices }: { voices: Voice[] }) {
  return (
    <ul class="list">
      {voices.map((voice) => (
        <li key={voice.id}>
          <Link class="line" href={`/feedback/${voice.id}`}>
            <span class="what" dir="auto">
              {voice.text.slice(0, 200)}
            </span>
            <span class={`status ${voice.status}`}>
              {say("feedback", voice.status)} · {said(voice)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** When something was said. Of an anonymous voice only the day is known, and it is a day of no zone. */
export function said(voice: Voice): string {
  const style: Intl.DateTimeFormatOptions = voice.anonymous
    ? { dateStyle: "medium", timeZone: "UTC" }
    : { dateStyle: "medium" };
  return say("feedback", "said_on", { when: moment(voice.raised_at, style) });
}
