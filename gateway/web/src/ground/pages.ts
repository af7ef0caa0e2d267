/** Lists that come page by page, each page by the cursor of the one before it. */

import { type QueryKey, useInfiniteQuery } from "@tanstack/preact-query";

interface Page<T> {
  items: T[];
  next: string | null;
}

/** A list as far as it was asked for, and the way to its next page. */
export interface Listed<T> {
  items: T[] | undefined;
  error: unknown;
  again: () => void;
  /** Asks for the next page; undefined if there is none. */
  more: (() => void) | undefined;
  coming: boolean;
}

/** A list, page by page. `ask` is given the cursor of a page; nothing for the first. */
export function usePages<T>(key: QueryKey, ask: (cursor: { cursor?: string }) => Promise<Page<T>>): Listed<T> {
  const found = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => ask(pageParam ? { cursor: pageParam } : {}),
    initialPageParam: "",
    getNextPageParam: (last: Page<T>) => last.next ?? undefined,
  });
  return {
    items: found.data?.pages.flatMap((page) => page.items),
    error: found.error,
    again: () => void found.refetch(),
    more: found.hasNextPage ? () => void found.fetchNextPage() : undefined,
    coming: found.isFetchingNextPage,
  };
}
