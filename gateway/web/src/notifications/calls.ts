/** What the app asks the hub about notifications. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { content, hub } from "../ground/api";
import { usePages } from "../ground/pages";

const KEY = ["notifications"];

/** The lines of my inbox, newest first, page by page. */
export function useInbox() {
  return usePages([...KEY, "all"], (query) => content(hub.GET("/v1/notifications", { params: { query } })));
}

/** My first few unread lines. */
export function useNews() {
  return useQuery({
    queryKey: [...KEY, "news"],
    queryFn: () => content(hub.GET("/v1/notifications", { params: { query: { unread: true, limit: 3 } } })),
  });
}

/** How many lines I have not read. */
export function useUnread() {
  return useQuery({ queryKey: [...KEY, "unread"], queryFn: () => content(hub.GET("/v1/notifications/unread")) });
}

/** Forget what was read of the inbox, as something has changed. */
export function useStale() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: KEY });
}

/** Mark one line as read, or all of them. */
export function useMarking() {
  const stale = useStale();
  return useMutation({
    mutationFn: async (id: string | null) => {
      if (id === null) await hub.POST("/v1/notifications/read");
      else await hub.POST("/v1/notifications/{notification_id}/read", { params: { path: { notification_id: id } } });
    },
    onSuccess: stale,
  });
}
