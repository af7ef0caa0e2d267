/** My profile, my language, and signing out. */

import type { Profile } from "@client/schema";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { may } from "../ground/rights";
import { signOut } from "../ground/session";
import { choose, type Language, language, languages, say } from "../ground/words";
import { Button, Choice, Field, Page, Refusal, Shown, wrongWith } from "../parts/basics";
import { useChangingMe, useMe } from "./calls";
import { tagsOf } from "./logic";

export default function Me() {
  const me = useMe();
  const [error, setError] = useState<unknown>();
  return (
    <Page title={say("members", "me")}>
      <Shown asked={me}>{(found) => <Form key={found.version} me={found} />}</Shown>
      <p>
        <Link href="/feedback">{say("feedback", "mine")}</Link>
      </p>
      {may("answer_voice", me.data?.roles) && (
        <p>
          <Link href="/desk">{say("feedback", "desk")}</Link>
        </p>
      )}
      {error !== undefined && <Refusal error={error} />}
      <div class="row">
        <Button onClick={() => void signOut().catch(setError)}>{say("sessions", "leave")}</Button>
      </div>
    </Page>
  );
}

function Form({ me }: { me: Profile }) {
  const [name, setName] = useState(me.name ?? "");
  const [doing, setDoing] = useState(me.what_i_do ?? "");
  const [have, setHave] = useState((me.tags_have ?? []).join(", "));
  const [want, setWant] = useState((me.tags_want ?? []).join(", "));
  const changing = useChangingMe();

  function save(event: Event) {
    event.preventDefault();
    changing.mutate({ name, what_i_do: doing, tags_have: tagsOf(have), tags_want: tagsOf(want) });
  }

  function speak(wanted: Language) {
    changing.mutate({ language: wanted }, { onSuccess: () => choose(wanted) });
  }

  const wrong = (field: string) => wrongWith(changing.error, field);
  return (
    <form class="stack" onSubmit={save}>
      <Field
        label={say("members", "name")}
        wrong={wrong("name")}
        name="name"
        autocomplete="name"
        required
        most={80}
        value={name}
        onText={setName}
      />
      <Field
        label={say("members", "have")}
        hint={say("members", "tags_hint")}
        wrong={wrong("tags_have")}
        name="have"
        value={have}
        onText={setHave}
      />
      <Field
        label={say("members", "want")}
        hint={say("members", "tags_hint")}
        wrong={wrong("tags_want")}
        name="want"
        value={want}
        onText={setWant}
      />
      <Field
        label={say("members", "doing")}
        wrong={wrong("what_i_do")}
        name="doing"
        long
        most={400}
        value={doing}
        onText={setDoing}
      />
      {changing.error !== null && <Refusal error={changing.error} />}
      <div class="row">
        <Button type="submit" look="first" busy={changing.isPending}>
          {say("members", "save")}
        </Button>
        <span role="status">{changing.isSuccess && say("members", "saved")}</span>
      </div>
      <Choice
        legend={say("members", "language")}
        name="language"
        options={languages.map((value) => ({
          value,
          label: new Intl.DisplayNames(value, { type: "language" }).of(value) ?? value,
        }))}
        chosen={language()}
        onChoice={speak}
      />
    </form>
  );
}
