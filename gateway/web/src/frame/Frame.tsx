/** The frame around each screen: the hub's name, my face, and the five places. */

import { CalendarDays, House, Inbox, MessageCircle, UserRound, Users } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { hear, listen } from "../ground/live";
import { say } from "../ground/words";
import { useStale, useUnread } from "../notifications/calls";
import { hubName } from "../parts/basics";

const PLACES = [
  { href: "/", name: "today", Icon: House },
  { href: "/events", name: "programme", Icon: CalendarDays },
  { href: "/feedback/new", name: "say", Icon: MessageCircle },
  { href: "/members", name: "people", Icon: Users },
  { href: "/notifications", name: "inbox", Icon: Inbox },
] as const;

const QUIET = 5000; // ms between two things that a screen reader is told

export function Frame({ children }: { children: ComponentChildren }) {
  const arrived = useArrivals();
  return (
    <div class="frame">
      <a class="skip" href="#page">
        {say("frame", "skip")}
      </a>
      <Head>
        <Link class="face" href="/me" aria-label={say("frame", "me")}>
          <UserRound size={20} aria-hidden="true" />
        </Link>
      </Head>
      <Bar />
      {children}
      <div class="unseen" role="status" aria-live="polite">
        {arrived}
      </div>
    </div>
  );
}

/** The head of each page: the hub's name. */
export function Head({ children }: { children?: ComponentChildren }) {
  return (
    <header class="head">
      <Link class="hub" href="/">
        {hubName()}
      </Link>
      {children}
    </header>
  );
}

function Bar() {
  const [address] = useLocation();
  const unread = useUnread().data?.unread ?? 0;
  return (
    <nav class="bar" aria-label={say("frame", "places")}>
      <ul>
        {PLACES.map(({ href, name, Icon }) => (
          <li key={href}>
            <Link class={name} href={href} aria-current={isAt(address, href) ? "page" : undefined}>
              <Icon size={24} aria-hidden="true" />
              {say("frame", name)}
              {name === "inbox" && unread > 0 && (
                <span class="count">
                  <span aria-hidden="true">{unread > 99 ? "99+" : unread}</span>
                  <span class="unseen">{say("frame", "unread", { n: unread })}</span>
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function isAt(address: string, place: string): boolean {
  if (place === "/" || place === "/feedback/new") return address === place;
  return address === place || address.startsWith(`${place}/`);
}

/** Listen to the stream while the frame stands. Returns what a screen reader is told of the last arrival. */
function useArrivals(): string {
  const stale = useStale();
  const [arrived, setArrived] = useState("");
  useEffect(() => {
    const ending = new AbortController();
    let saidAt = 0;
    const deaf = hear(({ data }) => {
      void stale();
      if (Date.now() - saidAt < QUIET) return;
      saidAt = Date.now();
      setArrived(say("notifications", "arrived", { title: data.title }));
    });
    void listen(ending.signal);
    return () => {
      deaf();
      ending.abort();
    };
  }, []);
  return arrived;
}
