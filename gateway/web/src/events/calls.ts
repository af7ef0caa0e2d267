/** What the app asks the hub about events. */

import { useInfiniteQuery, useQuery } from "@tanstack/preact-query";
import { content, hub } from "../ground/api";

const KEY = ["events"];

/** What goes on or is still to come, by its start, page by page. */
export function useComing(limit = 20) {
  return useInfiniteQuery({
    queryKey: [...KEY, "coming", limit],
    queryFn: ({ pageParam }) => {
      const query = pageParam ? { cursor: pageParam } : { ends_after: new Date().toISOString() };
      return content(hub.GET("/v1/events", { params: { query: { ...query, limit } } }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

/** One event. */
export function useEvent(id: string) {
  return useQuery({
    queryKey: [...KEY, id],
    queryFn: () => content(hub.GET("/v1/events/{event_id}", { params: { path: { event_id: id } } })),
  });
}
