/** Who may do what, as the API's description says. The hub decides; the app only leaves out what it would refuse. */

import rights from "virtual:rights";
import type { operations } from "@client/schema";

/** True if somebody with one of these roles may use an operation for anybody's things. */
export function may(operation: keyof operations, roles: string[] = []): boolean {
  return rights[operation]?.some((role) => roles.includes(role)) ?? false;
}
