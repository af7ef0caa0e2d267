/** The beginning: words and session first, then the screens. */

import "./looks/tokens.css";
import "./looks/base.css";
import "./looks/parts.css";
import { effect } from "@preact/signals";
import { QueryClient, QueryClientProvider } from "@tanstack/preact-query";
import { render } from "preact";
import { App } from "./app";
import { Problem } from "./ground/problem";
import { begin, member } from "./ground/session";
import { load } from "./ground/words";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      networkMode: "offlineFirst",
      retry: (failures, error) => failures < 2 && !(error instanceof Problem && error.status < 500),
    },
    mutations: { networkMode: "always" },
  },
});

let before: string | null | undefined;
effect(() => {
  if (before && member.value !== before) client.clear(); // what one member read is not for the next
  before = member.value;
});

const [, root] = [await Promise.all([load(), begin()]), document.getElementById("app")];
if (root) {
  root.replaceChildren();
  render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
    root,
  );
}
