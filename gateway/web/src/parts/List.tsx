/** A list that comes page by page: its place while it comes, why it is not there, that it is empty, its lines, and more. */

import type { ComponentChildren } from "preact";
import type { Listed } from "../ground/pages";
import { say } from "../ground/words";
import { Button, Refusal, Skeleton } from "./basics";

interface ListProps<T> {
  of: Listed<T>;
  empty: ComponentChildren;
  bones?: number;
  children: (items: T[]) => ComponentChildren;
}

export function List<T>({ of, empty, bones = 3, children }: ListProps<T>) {
  const { items } = of;
  return (
    <>
      {items === undefined && (of.error ? <Refusal error={of.error} again={of.again} /> : <Skeleton lines={bones} />)}
      {items?.length === 0 && empty}
      {items && items.length > 0 && children(items)}
      {of.more && (
        <Button busy={of.coming} onClick={of.more}>
          {say("frame", "more")}
        </Button>
      )}
    </>
  );
}
