/** The first screen of a member: what is new, what comes, and what became of what they said. */

import { Link } from "wouter-preact";
import { useComing } from "../events/calls";
import { Events } from "../events/Events";
import { useMine } from "../feedback/calls";
import { Voices } from "../feedback/Voices";
import { say } from "../ground/words";
import { useNews } from "../notifications/calls";
import { Lines } from "../notifications/Lines";
import { Empty, Page, Refusal, Skeleton } from "../parts/basics";

const FEW = 3;

export default function Today() {
  const news = useNews();
  const coming = useComing(FEW);
  const mine = useMine();
  const lines = news.data?.items;
  const events = coming.items?.slice(0, FEW);
  const voices = mine.items?.slice(0, FEW);
  const error = news.error ?? coming.error ?? mine.error;
  const quiet = [lines, events, voices].every((each) => each?.length === 0);

  function again() {
    if (news.error) void news.refetch();
    for (const each of [coming, mine]) if (each.error) each.again();
  }

  return (
    <Page title={say("frame", "today")}>
      {error && <Refusal error={error} again={again} />}
      {!error && !(lines && events && voices) && <Skeleton lines={4} />}
      {quiet && <Empty>{say("frame", "all_quiet")}</Empty>}
      {lines && lines.length > 0 && (
        <section class="stack">
          <Heading title={say("frame", "new_here")} href="/notifications" />
          <Lines lines={lines} />
        </section>
      )}
      {events && events.length > 0 && (
        <section class="stack">
          <Heading title={say("frame", "now_next")} href="/events" />
          <Events events={events} />
        </section>
      )}
      {voices && voices.length > 0 && (
        <section class="stack">
          <Heading title={say("frame", "my_voices")} href="/feedback" />
          <Voices voices={voices} />
        </section>
      )}
    </Page>
  );
}

function Heading({ title, href }: { title: string; href: string }) {
  return (
    <div class="row apart">
      <h2>{title}</h2>
      <Link href={href} aria-label={`${say("frame", "see_all")}: ${title}`}>
        {say("frame", "see_all")}
      </Link>
    </div>
  );
}
