/** What the app asks the hub about voices. */

import type { VoiceDraft } from "@client/schema";
import { useMutation, useQuery, useQueryClient } from "@tanstack/preact-query";
import { content, door, hub } from "../ground/api";
import { usePages } from "../ground/pages";

const KEY = ["feedback"];

/** My own voices, youngest first, page by page. */
export function useMine() {
  return usePages([...KEY, "mine"], (cursor) =>
    content(hub.GET("/v1/feedback", { params: { query: { mine: true, ...cursor } } })),
  );
}

/** The voices that wait for an answer. */
export function useWaiting() {
  return usePages([...KEY, "waiting"], (cursor) =>
    content(hub.GET("/v1/feedback", { params: { query: { status: "received", ...cursor } } })),
  );
}

/** One voice. */
export function useVoice(id: string) {
  return useQuery({
    queryKey: [...KEY, id],
    queryFn: () => content(hub.GET("/v1/feedback/{voice_id}", { params: { path: { voice_id: id } } })),
  });
}

/** Say something. `key` is the same for each try, so that it is said once. */
export function useSaying() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ draft, key }: { draft: VoiceDraft; key: string }) =>
      content(hub.POST("/v1/feedback", { body: draft, headers: { "Idempotency-Key": key } })),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
}

/** Answer a voice, or take it a step further. */
export function useAnswering(id: string) {
  const client = useQueryClient();
  const path = { voice_id: id };
  return useMutation({
    mutationFn: async (deed: { text: string } | { status: "decided" | "done" | "declined"; reason: string }) => {
      if ("text" in deed) await hub.POST("/v1/feedback/{voice_id}/answers", { params: { path }, body: deed });
      else await hub.PUT("/v1/feedback/{voice_id}/status", { params: { path }, body: deed });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
}

/** What became of a voice without a name. */
export function useClaiming() {
  return useMutation({
    mutationFn: (code: string) => content(door.POST("/v1/feedback/claims", { body: { claim_code: code.trim() } })),
  });
}

/** The hub's promises. */
export function usePromises() {
  return useQuery({ queryKey: ["house"], queryFn: () => content(door.GET("/v1/house")), staleTime: 3_600_000 });
}
