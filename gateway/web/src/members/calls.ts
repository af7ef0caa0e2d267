/** What the app asks the hub about people. */

import type { ProfileChange, Registration } from "@client/schema";
import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { content, door, hub } from "../ground/api";
import { usePages } from "../ground/pages";

const KEY = ["members"];

/** My own profile. */
export function useMe() {
  return useQuery({ queryKey: ["me"], queryFn: () => content(hub.GET("/v1/me")), staleTime: 60_000 });
}

/** Change my profile. */
export function useChangingMe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ProfileChange) => content(hub.PATCH("/v1/me", { body: change })),
    onSuccess: (me) => client.setQueryData(["me"], me),
  });
}

/** The people of the hub, all of them or those with a tag, page by page. */
export function usePeople(tag: string) {
  return usePages([...KEY, "list", tag], (cursor) =>
    content(hub.GET("/v1/members", { params: { query: { ...(tag ? { tag } : {}), ...cursor } } })),
  );
}

/** One person. */
export function usePerson(id: string) {
  return useQuery({
    queryKey: [...KEY, id],
    queryFn: () => content(hub.GET("/v1/members/{member_id}", { params: { path: { member_id: id } } })),
  });
}

/** Join the hub with an invitation. */
export function useJoining() {
  return useMutation({
    mutationFn: (registration: Registration) => content(door.POST("/v1/members", { body: registration })),
  });
}
