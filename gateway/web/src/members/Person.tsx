/** One person, as other members see them. */

import { Link } from "wouter-preact";
import { say } from "../ground/words";
import { Page, Shown } from "../parts/basics";
import { usePerson } from "./calls";

export default function Person({ id }: { id: string }) {
  const asked = usePerson(id);
  return (
    <Page title={asked.data?.name ?? say("members", "title")}>
      <Shown asked={asked}>
        {(person) => (
          <div class="stack">
            <p class="soft">
              {[person.pronouns, ...person.roles.map((role) => say("members", role))].filter(Boolean).join(" · ")}
            </p>
            {person.what_i_do && <p dir="auto">{person.what_i_do}</p>}
            {person.organisation && (
              <p class="soft" dir="auto">
                {person.organisation}
              </p>
            )}
            <Tags title={say("members", "offers")} tags={person.tags_have ?? []} />
            <Tags title={say("members", "seeks")} tags={person.tags_want ?? []} />
          </div>
        )}
      </Shown>
    </Page>
  );
}

function Tags({ title, tags }: { title: string; tags: string[] }) {
  if (tags.length === 0) return null;
  return (
    <div class="tight">
      <h2>{title}</h2>
      <ul class="tags">
        {tags.map((tag) => (
          <li key={tag}>
            <Link href={`/members?tag=${encodeURIComponent(tag)}`}>{tag}</Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
