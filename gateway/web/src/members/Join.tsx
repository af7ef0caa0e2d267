/** Joining the hub with an invitation. */

import { useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { signIn } from "../ground/session";
import { say } from "../ground/words";
import { Button, Field, Page, Refusal, wrongWith } from "../parts/basics";
import { useJoining } from "./calls";

export default function Join() {
  const [search] = useSearchParams();
  const [code, setCode] = useState(search.get("code") ?? "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [late, setLate] = useState<unknown>();
  const joining = useJoining();
  const error = joining.error ?? late;

  function join(event: Event) {
    event.preventDefault();
    joining.mutate(
      { code: code.trim(), name, password },
      { onSuccess: (me) => void signIn(me.email, password).catch(setLate) },
    );
  }

  return (
    <Page title={say("members", "join")}>
      <form class="stack" onSubmit={join}>
        <Field
          label={say("members", "code")}
          hint={say("members", "code_hint")}
          wrong={wrongWith(error, "code")}
          name="code"
          autocomplete="off"
          required
          value={code}
          onText={setCode}
        />
        <Field
          label={say("members", "name")}
          wrong={wrongWith(error, "name")}
          name="name"
          autocomplete="name"
          required
          most={80}
          value={name}
          onText={setName}
        />
        <Field
          label={say("members", "password")}
          hint={say("members", "password_hint")}
          wrong={wrongWith(error, "password")}
          name="password"
          type="password"
          autocomplete="new-password"
          required
          value={password}
          onText={setPassword}
        />
        {error !== null && error !== undefined && <Refusal error={error} />}
        <div class="row">
          <Button type="submit" look="first" busy={joining.isPending}>
            {say("members", "enter")}
          </Button>
        </div>
      </form>
    </Page>
  );
}
