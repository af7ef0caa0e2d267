/** My inbox. New lines appear by themselves. */

import { say } from "../ground/words";
import { Button, Empty, Page, Refusal, Skeleton } from "../parts/basics";
import { useInbox, useMarking } from "./calls";
import { Lines } from "./Lines";

export default function Inbox() {
  const inbox = useInbox();
  const marking = useMarking();
  const lines = inbox.data?.pages.flatMap((page) => page.items);
  return (
    <Page title={say("notifications", "title")}>
      <div class="row apart">
        <p class="soft">{say("notifications", "live")}</p>
        {lines?.some((line) => !line.read_at) && (
          <Button look="bare" busy={marking.isPending} onClick={() => marking.mutate(null)}>
            {say("notifications", "all_read")}
          </Button>
        )}
      </div>
      {marking.error !== null && <Refusal error={marking.error} />}
      {lines === undefined &&
        (inbox.error ? <Refusal error={inbox.error} again={() => inbox.refetch()} /> : <Skeleton lines={5} />)}
      {lines?.length === 0 && <Empty>{say("notifications", "empty")}</Empty>}
      {lines && lines.length > 0 && <Lines lines={lines} />}
      {inbox.hasNextPage && (
        <Button busy={inbox.isFetchingNextPage} onClick={() => inbox.fetchNextPage()}>
          {say("frame", "more")}
        </Button>
      )}
    </Page>
  );
}
