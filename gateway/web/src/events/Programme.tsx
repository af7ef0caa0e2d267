/** What is to come at the hub. */

import { Link } from "wouter-preact";
import { say } from "../ground/words";
import { Button, Empty, Page, Refusal, Skeleton } from "../parts/basics";
import { useComing } from "./calls";
import { Events } from "./Events";

export default function Programme() {
  const coming = useComing();
  const events = coming.data?.pages.flatMap((page) => page.items);
  return (
    <Page title={say("events", "title")}>
      {events === undefined &&
        (coming.error ? <Refusal error={coming.error} again={() => coming.refetch()} /> : <Skeleton lines={5} />)}
      {events?.length === 0 && (
        <>
          <Empty>{say("events", "empty")}</Empty>
          <p>
            <Link class="button" href="/feedback/new">
              {say("events", "suggest")}
            </Link>
          </p>
        </>
      )}
      {events && events.length > 0 && (
        <>
          <p class="soft">{say("events", "zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
          <Events events={events} />
        </>
      )}
      {coming.hasNextPage && (
        <Button busy={coming.isFetchingNextPage} onClick={() => coming.fetchNextPage()}>
          {say("frame", "more")}
        </Button>
      )}
    </Page>
  );
}
