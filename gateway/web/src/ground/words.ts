/** The words of the app: every sentence is a function of its language's module, chosen once when the app begins. */

import type events from "../events/words/en.json";
import type feedback from "../feedback/words/en.json";
import type frame from "../frame/words/en.json";
import type members from "../members/words/en.json";
import type notifications from "../notifications/words/en.json";
import type sessions from "../sessions/words/en.json";

export interface Words {
  events: typeof events;
  feedback: typeof feedback;
  frame: typeof frame;
  members: typeof members;
  notifications: typeof notifications;
  sessions: typeof sessions;
}

/** A language that the app speaks (BCP 47). */
export type Language = keyof typeof LANGUAGES;
type Values = Record<string, string | number>;
type Noun = keyof Words;
type Sentences = Record<string, Record<string, (values: Values) => string>>;

const LANGUAGES = {
  en: () => import("virtual:words/en"),
  de: () => import("virtual:words/de"),
};
const CHOSEN = "hearth.language";
const FIRST = "en";

let sentences: Sentences = {};
let spoken: Language = FIRST;

/** The language in use (BCP 47). */
export function language(): Language {
  return spoken;
}

/** The languages to choose from. */
export const languages = Object.keys(LANGUAGES) as Language[];

/** Load the words: the language chosen here, else the first known of the browser's, else English. */
export async function load(chosen = localStorage.getItem(CHOSEN)): Promise<void> {
  const wishes = [chosen ?? "", ...navigator.languages].map((each) => each.split("-")[0] ?? "");
  spoken = languages.find((each) => each === wishes.find((wish) => wish in LANGUAGES)) ?? FIRST;
  sentences = (await LANGUAGES[spoken]()).default as Sentences;
  document.documentElement.lang = spoken;
}

/** Remember a language for the next start, and begin anew in it. */
export function choose(wanted: Language): void {
  localStorage.setItem(CHOSEN, wanted);
  location.reload();
}

/** A sentence of a noun, with its values filled in. */
export function say<N extends Noun>(noun: N, key: keyof Words[N] & string, values: Values = {}): string {
  return sentences[noun]?.[key]?.(values) ?? key;
}

/** The language in use, as it is spoken where the browser says: dates are written otherwise in en-GB and en-US. */
function region(): string {
  return navigator.languages.find((each) => each.split("-")[0] === spoken) ?? spoken;
}

/** A moment for people, in the reader's own zone. */
export function moment(
  iso: string,
  style: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short" },
): string {
  return new Intl.DateTimeFormat(region(), style).format(new Date(iso));
}

/** How long ago, or in how long: "3 hours ago". */
export function distance(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const [unit, size] = steps.find(([, each]) => Math.abs(seconds) >= each) ?? ["minute", 60];
  return new Intl.RelativeTimeFormat(spoken, { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
}
