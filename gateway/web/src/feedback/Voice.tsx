/** One voice: its words, where it stands, the answers; for those who answer for the hub, a form to answer. */

import type { Outcome } from "@client/schema";
import { useState } from "preact/hooks";
import { useDraft } from "../ground/drafts";
import { may } from "../ground/rights";
import { moment, say } from "../ground/words";
import { useMe } from "../members/calls";
import { Button, Choice, Field, Page, Refusal, Shown, wrongWith } from "../parts/basics";
import { useAnswering, useVoice } from "./calls";
import { ahead } from "./logic";
import { said } from "./Voices";

export default function Voice({ id }: { id: string }) {
  const asked = useVoice(id);
  const me = useMe().data;
  const mine = asked.data?.author_id === me?.id;
  return (
    <Page title={say("feedback", mine ? "mine" : "voice")}>
      <Shown asked={asked}>
        {(voice) => (
          <>
            <p class="soft">
              {voice.author_name ? say("feedback", "by", { name: voice.author_name }) : say("feedback", "nameless")} ·{" "}
              {said(voice)}
            </p>
            <Became of={voice} />
            {may("answer_voice", me?.roles) && voice.status !== "taken_down" && (
              <Answering id={id} status={voice.status} />
            )}
          </>
        )}
      </Shown>
    </Page>
  );
}

/** What became of a voice. */
export function Became({ of }: { of: Outcome }) {
  return (
    <>
      <p class="words quote" dir="auto">
        {of.text}
      </p>
      <p class={`status ${of.status}`}>
        <strong>{say("feedback", of.status)}</strong>
      </p>
      {of.reason && (
        <p class="words" dir="auto">
          {of.reason}
        </p>
      )}
      <section class="stack">
        <h2>{say("feedback", "answers")}</h2>
        {of.answers.length === 0 && <p class="soft">{say("feedback", "no_answer")}</p>}
        {of.answers.map((answer) => (
          <div class="tight" key={answer.at}>
            <p class="words" dir="auto">
              {answer.text}
            </p>
            <p class="soft">
              {answer.by_name} · <time dateTime={answer.at}>{moment(answer.at)}</time>
            </p>
          </div>
        ))}
      </section>
    </>
  );
}

function Answering({ id, status }: { id: string; status: string }) {
  const [text, write, sent] = useDraft(`feedback/${id}`);
  const [step, setStep] = useState<"decided" | "done" | "declined" | null>(null);
  const [reason, setReason] = useState("");
  const answering = useAnswering(id);
  const moving = useAnswering(id);
  const steps = ahead(status);

  function answer(event: Event) {
    event.preventDefault();
    answering.mutate({ text }, { onSuccess: sent });
  }

  function move(event: Event) {
    event.preventDefault();
    if (step)
      moving.mutate(
        { status: step, reason },
        {
          onSuccess: () => {
            setStep(null);
            setReason("");
          },
        },
      );
  }

  return (
    <>
      <form class="stack" onSubmit={answer}>
        <Field
          label={say("feedback", "answer")}
          wrong={wrongWith(answering.error, "text")}
          name="answer"
          long
          required
          most={4000}
          value={text}
          onText={write}
        />
        {answering.error !== null && <Refusal error={answering.error} />}
        <div class="row">
          <Button type="submit" look="first" busy={answering.isPending}>
            {say("feedback", "answer_send")}
          </Button>
        </div>
      </form>
      {steps.length > 0 && (
        <form class="stack" onSubmit={move}>
          <Choice
            legend={say("feedback", "move")}
            name="step"
            options={steps.map((value) => ({ value, label: say("feedback", value) }))}
            chosen={step}
            onChoice={setStep}
          />
          {step && (
            <>
              <Field
                label={say("feedback", "reason")}
                wrong={wrongWith(moving.error, "reason")}
                name="reason"
                required={step === "declined"}
                most={1000}
                value={reason}
                onText={setReason}
              />
              {moving.error !== null && <Refusal error={moving.error} />}
              <div class="row">
                <Button type="submit" busy={moving.isPending}>
                  {say("feedback", step)}
                </Button>
              </div>
            </>
          )}
        </form>
      )}
    </>
  );
}
