/** What can go wrong with a call: the hub refuses (a Problem), or it can't be reached. */

import type { Problem as Document } from "@client/schema";

export { Problem } from "@client/problem";
export type { Document };

/** The hub can't be reached, or does not answer in time. What was asked may or may not have happened. */
export class Unreachable extends Error {
  override name = "Unreachable";
}
