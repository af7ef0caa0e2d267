/** What follows from a voice. */

/** The steps that a voice can still take. */
export function ahead(status: string): ("decided" | "done" | "declined")[] {
  if (status === "received" || status === "acknowledged") return ["decided", "done", "declined"];
  return status === "decided" ? ["done", "declined"] : [];
}
