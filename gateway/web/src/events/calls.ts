/** What the app asks the hub about events. */

import { useQuery } from "@tanstack/preact-query";
import { content, hub } from "../ground/api";
import { usePages } from "../ground/pages";

const KEY = ["events"];

/** What goes on or is still to come, by its start, page by page. */
export function useComing(limit = 20) {
  return usePages([...KEY, "coming", limit], ({ cursor }) => {
    const query = cursor ? { cursor } : { ends_after: new Date().toISOString() };
    return content(hub.GET("/v1/events", { params: { query: { ...query, limit } } }));
  });
}

/** One event. */
export function useEvent(id: string) {
  return useQuery({
    queryKey: [...KEY, id],
    queryFn: () => content(hub.GET("/v1/events/{event_id}", { params: { path: { event_id: id } } })),
  });
}
