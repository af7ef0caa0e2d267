/** What I said, and what became of it. */

import { Link } from "wouter-preact";
import { say } from "../ground/words";
import { Button, Empty, Page, Refusal, Skeleton } from "../parts/basics";
import { useMine } from "./calls";
import { Voices } from "./Voices";

export default function Mine() {
  const mine = useMine();
  const voices = mine.data?.pages.flatMap((page) => page.items);
  return (
    <Page title={say("feedback", "mine")}>
      {voices === undefined &&
        (mine.error ? <Refusal error={mine.error} again={() => mine.refetch()} /> : <Skeleton />)}
      {voices?.length === 0 && <Empty>{say("feedback", "mine_empty")}</Empty>}
      {voices && voices.length > 0 && <Voices voices={voices} />}
      {mine.hasNextPage && (
        <Button busy={mine.isFetchingNextPage} onClick={() => mine.fetchNextPage()}>
          {say("frame", "more")}
        </Button>
      )}
      <p>
        <Link href="/feedback/claims">{say("feedback", "has_code")}</Link>
      </p>
    </Page>
  );
}
