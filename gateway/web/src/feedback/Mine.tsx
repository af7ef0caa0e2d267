/** What I said, and what became of it. */

import { Link } from "wouter-preact";
import { say } from "../ground/words";
import { Empty, Page } from "../parts/basics";
import { List } from "../parts/List";
import { useMine } from "./calls";
import { Voices } from "./Voices";

export default function Mine() {
  return (
    <Page title={say("feedback", "mine")}>
      <List of={useMine()} empty={<Empty>{say("feedback", "mine_empty")}</Empty>}>
        {(voices) => <Voices voices={voices} />}
      </List>
      <p>
        <Link href="/feedback/claims">{say("feedback", "has_code")}</Link>
      </p>
    </Page>
  );
}
