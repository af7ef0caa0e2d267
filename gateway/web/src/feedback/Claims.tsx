/** What became of a voice without a name, by its code. Nobody needs to be signed in. */

import { useState } from "preact/hooks";
import { say } from "../ground/words";
import { Button, Field, Page, Refusal, wrongWith } from "../parts/basics";
import { useClaiming } from "./calls";
import { Became } from "./Voice";

export default function Claims() {
  const [code, setCode] = useState("");
  const claiming = useClaiming();

  function look(event: Event) {
    event.preventDefault();
    claiming.mutate(code);
  }

  return (
    <Page title={say("feedback", "claims")}>
      <form class="stack" onSubmit={look}>
        <Field
          label={say("feedback", "claim_code")}
          hint={say("feedback", "claims_how")}
          wrong={wrongWith(claiming.error, "claim_code")}
          name="code"
          autocomplete="off"
          required
          most={100}
          value={code}
          onText={setCode}
        />
        {claiming.error !== null && <Refusal error={claiming.error} />}
        <div class="row">
          <Button type="submit" look="first" busy={claiming.isPending}>
            {say("feedback", "claim")}
          </Button>
        </div>
      </form>
      {claiming.data && (
        <div class="stack" role="status">
          <Became of={claiming.data} />
        </div>
      )}
    </Page>
  );
}
