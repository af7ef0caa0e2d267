/** Say something: one field, and what is optional below it. */

import type { RaisedVoice, VoiceDraft } from "@client/schema";
import { useMemo, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { useDraft } from "../ground/drafts";
import { say } from "../ground/words";
import { Button, Choice, Field, Page, Refusal, Switch, wrongWith } from "../parts/basics";
import { usePromises, useSaying } from "./calls";

const KINDS = ["want", "expect", "need", "praise", "problem", "idea"] as const;

export default function Say() {
  const [said, setSaid] = useState<RaisedVoice>();
  return (
    <Page title={say("feedback", "say")}>
      {said ? <Said voice={said} again={() => setSaid(undefined)} /> : <Form onSaid={setSaid} />}
    </Page>
  );
}

function Form({ onSaid }: { onSaid: (voice: RaisedVoice) => void }) {
  const [text, write, sent] = useDraft("feedback/new");
  const [kind, setKind] = useState<(typeof KINDS)[number] | null>(null);
  const [anonymous, setAnonymous] = useState(false);
  const key = useMemo(() => crypto.randomUUID(), []);
  const saying = useSaying();
  const days = usePromises().data?.promises.days_to_answer;

  function send(event: Event) {
    event.preventDefault();
    const draft: VoiceDraft = { text, kind, touchpoint: "app", anonymous };
    saying.mutate(
      { draft, key },
      {
        onSuccess: (voice) => {
          sent();
          onSaid(voice);
        },
      },
    );
  }

  return (
    <form class="stack" onSubmit={send}>
      <Field
        label={say("feedback", "text")}
        hint={say("feedback", "hint")}
        wrong={wrongWith(saying.error, "text")}
        name="text"
        long
        required
        most={4000}
        value={text}
        onText={write}
      />
      <Choice
        legend={say("feedback", "kind")}
        name="kind"
        options={KINDS.map((value) => ({ value, label: say("feedback", value) }))}
        chosen={kind}
        onChoice={setKind}
      />
      <Switch label={say("feedback", "anonymous")} on={anonymous} onTurn={setAnonymous} />
      {anonymous && <p class="soft">{say("feedback", "anonymous_says")}</p>}
      {saying.error !== null && <Refusal error={saying.error} />}
      <div class="row">
        <Button type="submit" look="first" busy={saying.isPending}>
          {say("feedback", "send")}
        </Button>
      </div>
      {days && <p class="soft">{say("feedback", "next", { n: days })}</p>}
    </form>
  );
}

function Said({ voice, again }: { voice: RaisedVoice; again: () => void }) {
  const [copied, setCopied] = useState(false);
  const code = voice.claim_code;
  return (
    <div class="stack">
      <div class="notice" role="status">
        <p>
          <strong>{say("feedback", "sent")}</strong>
        </p>
        {code ? <p>{say("feedback", "code_how")}</p> : <p>{say("feedback", "sent_how")}</p>}
      </div>
      {code && (
        <div class="stack">
          <h2>{say("feedback", "code")}</h2>
          <code class="code">{code}</code>
          <div class="row">
            <Button onClick={() => navigator.clipboard.writeText(code).then(() => setCopied(true))}>
              {say("feedback", "copy")}
            </Button>
            <span role="status">{copied && say("feedback", "copied")}</span>
          </div>
        </div>
      )}
      <div class="row">
        {!code && (
          <Link class="button" href={`/feedback/${voice.id}`}>
            {say("feedback", "see")}
          </Link>
        )}
        <Button look="bare" onClick={again}>
          {say("feedback", "another")}
        </Button>
      </div>
    </div>
  );
}
