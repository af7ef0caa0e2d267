/** What is to come at the hub. */

import { Link } from "wouter-preact";
import { say } from "../ground/words";
import { Empty, Page } from "../parts/basics";
import { List } from "../parts/List";
import { useComing } from "./calls";
import { Events } from "./Events";

export default function Programme() {
  const coming = useComing();
  return (
    <Page title={say("events", "title")}>
      <List of={coming} empty={<Nothing />} bones={5}>
        {(events) => (
          <>
            <p class="soft">{say("events", "zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
            <Events events={events} />
          </>
        )}
      </List>
    </Page>
  );
}

function Nothing() {
  return (
    <>
      <Empty>{say("events", "empty")}</Empty>
      <p>
        <Link class="button" href="/feedback/new">
          {say("events", "suggest")}
        </Link>
      </p>
    </>
  );
}
