/** Signing in; also the first thing that somebody sees who is not signed in. */

import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { signIn } from "../ground/session";
import { say } from "../ground/words";
import { Button, Field, hubName, Page, Refusal } from "../parts/basics";

export default function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function enter(event: Event) {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(email, password);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Page title={say("sessions", "title")}>
      <p>{say("sessions", "welcome", { hub: hubName() })}</p>
      <form class="stack" onSubmit={enter}>
        <Field
          label={say("sessions", "email")}
          name="email"
          type="email"
          autocomplete="username"
          required
          value={email}
          onText={setEmail}
        />
        <Field
          label={say("sessions", "password")}
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onText={setPassword}
        />
        {error !== undefined && <Refusal error={error} />}
        <div class="row">
          <Button type="submit" look="first" busy={busy}>
            {say("sessions", "enter")}
          </Button>
        </div>
      </form>
      <div class="stack">
        <p class="soft">{say("sessions", "no_account")}</p>
        <p>
          <Link href="/members/new">{say("sessions", "join")}</Link>
        </p>
        <p>
          <Link href="/feedback/claims">{say("feedback", "has_code")}</Link>
        </p>
        <p class="soft">{say("sessions", "forgotten")}</p>
      </div>
    </Page>
  );
}
