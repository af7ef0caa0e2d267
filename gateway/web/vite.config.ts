/** Builds the app into `build/web`: hashed files, each also compressed, and the shell that the gateway fills in. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import MessageFormat from "@messageformat/core";
import compileModule from "@messageformat/core/compile-module";
import { defineConfig, type Plugin } from "vite";

const HERE = import.meta.dirname;
const OPENAPI = resolve(HERE, "../openapi.json");
const WORDS = "virtual:words/";
const RIGHTS = "virtual:rights";

interface Operation {
  operationId: string;
  "x-may"?: { any: string[] };
}

/** All sentences of one language as functions, so that no browser parses a pattern. */
function words(): Plugin {
  return {
    name: "words",
    resolveId: (id) => (id.startsWith(WORDS) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${WORDS}`)) return undefined;
      const language = id.slice(WORDS.length + 1);
      const nouns = readdirSync(resolve(HERE, "src"), { withFileTypes: true }).filter((each) => each.isDirectory());
      const sentences: Record<string, Record<string, string>> = {};
      for (const { name } of nouns) {
        const file = resolve(HERE, "src", name, "words", `${language}.json`);
        try {
          sentences[name] = JSON.parse(readFileSync(file, "utf8"));
          this.addWatchFile(file);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        }
      }
      return compileModule(new MessageFormat(language), sentences);
    },
  };
}

/** The roles that may use each operation for anybody's things, as the API's description says (`x-may`). */
function rights(): Plugin {
  return {
    name: "rights",
    resolveId: (id) => (id === RIGHTS ? `\0${id}` : undefined),
    load(id) {
      if (id !== `\0${RIGHTS}`) return undefined;
      this.addWatchFile(OPENAPI);
      const paths: Record<string, Record<string, Operation>> = JSON.parse(readFileSync(OPENAPI, "utf8")).paths;
      const operations = Object.values(paths).flatMap((path) => Object.values(path));
      const found = operations.flatMap((each) => (each["x-may"] ? [[each.operationId, each["x-may"].any]] : []));
      return `export default ${JSON.stringify(Object.fromEntries(found))}`;
    },
  };
}

/** Each file also as `.br` and `.gz`: the gateway only picks one. */
function pressed(): Plugin {
  return {
    name: "pressed",
    apply: "build",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const file = resolve(options.dir ?? "", name);
        const content = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(content));
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root: HERE,
  publicDir: resolve(HERE, "public"),
  plugins: [words(), rights(), pressed()],
  resolve: {
    alias: {
      "@client": resolve(HERE, "../clients/typescript/src"),
      react: "preact/compat",
      "react-dom": "preact/compat",
    },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: resolve(HERE, "../../build/web"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    manifest: "files.json",
    rolldownOptions: { input: resolve(HERE, "shell.html") },
  },
});
