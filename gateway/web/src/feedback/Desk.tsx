/** What waits for an answer, for those who answer for the hub. */

import { say } from "../ground/words";
import { Button, Empty, Page, Refusal, Skeleton } from "../parts/basics";
import { useWaiting } from "./calls";
import { Voices } from "./Voices";

export default function Desk() {
  const waiting = useWaiting();
  const voices = waiting.data?.pages.flatMap((page) => page.items);
  return (
    <Page title={say("feedback", "desk")}>
      {voices === undefined &&
        (waiting.error ? <Refusal error={waiting.error} again={() => waiting.refetch()} /> : <Skeleton />)}
      {voices?.length === 0 && <Empty>{say("feedback", "desk_empty")}</Empty>}
      {voices && voices.length > 0 && <Voices voices={voices} />}
      {waiting.hasNextPage && (
        <Button busy={waiting.isFetchingNextPage} onClick={() => waiting.fetchNextPage()}>
          {say("frame", "more")}
        </Button>
      )}
    </Page>
  );
}
