/** The people of the hub. The tag that is looked for stands in the address. */

import type { MemberCard } from "@client/schema";
import { useState } from "preact/hooks";
import { Link, useSearchParams } from "wouter-preact";
import { say } from "../ground/words";
import { Button, Empty, Field, Page } from "../parts/basics";
import { List } from "../parts/List";
import { usePeople } from "./calls";
import { initials } from "./logic";

export default function People() {
  const [search, setSearch] = useSearchParams();
  const tag = search.get("tag") ?? "";
  const [typed, setTyped] = useState(tag);

  function find(event: Event) {
    event.preventDefault();
    setSearch(typed.trim() ? { tag: typed.trim() } : {});
  }

  return (
    <Page title={say("members", "title")}>
      <form class="stack" role="search" onSubmit={find}>
        <Field label={say("members", "search")} name="tag" type="search" value={typed} most={40} onText={setTyped} />
        <div class="row">
          <Button type="submit">{say("members", "filter")}</Button>
          {tag && (
            <Link class="button bare" href="/members" onClick={() => setTyped("")}>
              {say("members", "all")}
            </Link>
          )}
        </div>
      </form>
      <List of={usePeople(tag)} empty={<Empty>{say("members", "empty")}</Empty>} bones={5}>
        {(people) => (
          <ul class="list">
            {people.map((person) => (
              <li key={person.id}>
                <Link class="line" href={`/members/${person.id}`}>
                  <Short of={person} />
                </Link>
              </li>
            ))}
          </ul>
        )}
      </List>
    </Page>
  );
}

function Short({ of: person }: { of: MemberCard }) {
  return (
    <span class="row">
      <span class="face" aria-hidden="true">
        {initials(person.name)}
      </span>
      <span class="tight">
        <span class="what" dir="auto">
          {person.name}
        </span>
        {person.what_i_do && (
          <span class="soft" dir="auto">
            {person.what_i_do}
          </span>
        )}
      </span>
    </span>
  );
}
