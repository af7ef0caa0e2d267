declare module "virtual:words/*" {
  const sentences: unknown;
  export default sentences;
}

declare module "virtual:rights" {
  const rights: Partial<Record<keyof import("@client/schema").operations, string[]>>;
  export default rights;
}

declare module "@messageformat/core/compile-module" {
  import type MessageFormat from "@messageformat/core";

  /** The source of a module whose functions are the sentences. */
  export default function compileModule(format: MessageFormat, sentences: object): string;
}
