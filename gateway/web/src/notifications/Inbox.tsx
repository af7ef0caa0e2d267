/** My inbox. New lines appear by themselves. */

import { say } from "../ground/words";
import { Button, Empty, Page, Refusal } from "../parts/basics";
import { List } from "../parts/List";
import { useInbox, useMarking } from "./calls";
import { Lines } from "./Lines";

export default function Inbox() {
  const inbox = useInbox();
  const marking = useMarking();
  return (
    <Page title={say("notifications", "title")}>
      <div class="row apart">
        <p class="soft">{say("notifications", "live")}</p>
        {inbox.items?.some((line) => !line.read_at) && (
          <Button look="bare" busy={marking.isPending} onClick={() => marking.mutate(null)}>
            {say("notifications", "all_read")}
          </Button>
        )}
      </div>
      {marking.error !== null && <Refusal error={marking.error} />}
      <List of={inbox} empty={<Empty>{say("notifications", "empty")}</Empty>} bones={5}>
        {(lines) => <Lines lines={lines} />}
      </List>
    </Page>
  );
}
