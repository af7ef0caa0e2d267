/** What waits for an answer, for those who answer for the hub. */

import { say } from "../ground/words";
import { Empty, Page } from "../parts/basics";
import { List } from "../parts/List";
import { useWaiting } from "./calls";
import { Voices } from "./Voices";

export default function Desk() {
  return (
    <Page title={say("feedback", "desk")}>
      <List of={useWaiting()} empty={<Empty>{say("feedback", "desk_empty")}</Empty>}>
        {(voices) => <Voices voices={voices} />}
      </List>
    </Page>
  );
}
