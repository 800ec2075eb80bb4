import type { LanguageFn } from "highlight.js";

interface CodeLanguage {
  /** As its own people write it. */
  title: string;
  /** Its grammar, in a script of its own that is fetched where it first occurs. */
  fetch: () => Promise<{ default: LanguageFn }>;
}

const LANGUAGES: Record<string, CodeLanguage> = {
  bash: { title: "Shell", fetch: () => import("highlight.js/lib/languages/bash") },
  c: { title: "C", fetch: () => import("highlight.js/lib/languages/c") },
  clojure: { title: "Clojure", fetch: () => import("highlight.js/lib/languages/clojure") },
  cpp: { title: "C++", fetch: () => import("highlight.js/lib/languages/cpp") },
  csharp: { title: "C#", fetch: () => import("highlight.js/lib/languages/csharp") },
  css: { title: "CSS", fetch: () => import("highlight.js/lib/languages/css") },
  dart: { title: "Dart", fetch: () => import("highlight.js/lib/languages/dart") },
  diff: { title: "Diff", fetch: () => import("highlight.js/lib/languages/diff") },
  dockerfile: { title: "Dockerfile", fetch: () => import("highlight.js/lib/languages/dockerfile") },
  elixir: { title: "Elixir", fetch: () => import("highlight.js/lib/languages/elixir") },
  erlang: { title: "Erlang", fetch: () => import("highlight.js/lib/languages/erlang") },
  go: { title: "Go", fetch: () => import("highlight.js/lib/languages/go") },
  graphql: { title: "GraphQL", fetch: () => import("highlight.js/lib/languages/graphql") },
  haskell: { title: "Haskell", fetch: () => import("highlight.js/lib/languages/haskell") },
  html: { title: "HTML", fetch: () => import("highlight.js/lib/languages/xml") },
  ini: { title: "INI", fetch: () => import("highlight.js/lib/languages/ini") },
  java: { title: "Java", fetch: () => import("highlight.js/lib/languages/java") },
  javascript: { title: "JavaScript", fetch: () => import("highlight.js/lib/languages/javascript") },
  json: { title: "JSON", fetch: () => import("highlight.js/lib/languages/json") },
  julia: { title: "Julia", fetch: () => import("highlight.js/lib/languages/julia") },
  kotlin: { title: "Kotlin", fetch: () => import("highlight.js/lib/languages/kotlin") },
  latex: { title: "LaTeX", fetch: () => import("highlight.js/lib/languages/latex") },
  lua: { title: "Lua", fetch: () => import("highlight.js/lib/languages/lua") },
  makefile: { title: "Makefile", fetch: () => import("highlight.js/lib/languages/makefile") },
  markdown: { title: "Markdown", fetch: () => import("highlight.js/lib/languages/markdown") },
  matlab: { title: "MATLAB", fetch: () => import("highlight.js/lib/languages/matlab") },
  nginx: { title: "nginx", fetch: () => import("highlight.js/lib/languages/nginx") },
  objectivec: { title: "Objective-C", fetch: () => import("highlight.js/lib/languages/objectivec") },
  perl: { title: "Perl", fetch: () => import("highlight.js/lib/languages/perl") },
  php: { title: "PHP", fetch: () => import("highlight.js/lib/languages/php") },
  powershell: { title: "PowerShell", fetch: () => import("highlight.js/lib/languages/powershell") },
  python: { title: "Python", fetch: () => import("highlight.js/lib/languages/python") },
  r: { title: "R", fetch: () => import("highlight.js/lib/languages/r") },
  ruby: { title: "Ruby", fetch: () => import("highlight.js/lib/languages/ruby") },
  rust: { title: "Rust", fetch: () => import("highlight.js/lib/languages/rust") },
  scala: { title: "Scala", fetch: () => import("highlight.js/lib/languages/scala") },
  scss: { title: "SCSS", fetch: () => import("highlight.js/lib/languages/scss") },
  sql: { title: "SQL", fetch: () => import("highlight.js/lib/languages/sql") },
  swift: { title: "Swift", fetch: () => import("highlight.js/lib/languages/swift") },
  toml: { title: "TOML", fetch: () => import("highlight.js/lib/languages/ini") },
  typescript: { title: "TypeScript", fetch: () => import("highlight.js/lib/languages/typescript") },
  xml: { title: "XML", fetch: () => import("highlight.js/lib/languages/xml") },
  yaml: { title: "YAML", fetch: () => import("highlight.js/lib/languages/yaml") },
};

const ALIASES: Record<string, string> = {
  "c#": "csharp", "c++": "cpp", cc: "cpp", cjs: "javascript", clj: "clojure", console: "bash", cs: "csharp",
  docker: "dockerfile", golang: "go", h: "c", hpp: "cpp", hs: "haskell", js: "javascript", jsonc: "json",
  jsx: "javascript", kt: "kotlin", make: "makefile", md: "markdown", mjs: "javascript", "objective-c": "objectivec",
  patch: "diff", pl: "perl", ps1: "powershell", py: "python", python3: "python", rb: "ruby", rs: "rust", sh: "bash",
  shell: "bash", svg: "xml", tex: "latex", ts: "typescript", tsx: "typescript", yml: "yaml", zsh: "bash",
};

function known(written: string): [string, CodeLanguage] | null {
  const name = written.toLowerCase();
  const key = ALIASES[name] ?? name;
  const found = Object.hasOwn(LANGUAGES, key) ? LANGUAGES[key] : undefined;
  return found ? [key, found] : null;
}

/** The name of a language for people; one that is not known stays as it was written. */
export const languageTitle = (written: string): string => known(written)?.[1].title ?? written;

/** A language's key and its grammar; null where none is known. Throws where it cannot be fetched. */
export async function grammarOf(written: string): Promise<[string, LanguageFn] | null> {
  const found = known(written);
  return found ? [found[0], (await found[1].fetch()).default] : null;
}
