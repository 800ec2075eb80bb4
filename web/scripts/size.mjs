// The budget of the first page: every script that index.html makes a modern browser fetch, gzipped.
// What is loaded later (Markdown, the model picker's list) is printed, not counted.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 180;
const out = join(dirname(dirname(fileURLToPath(import.meta.url))), "out");
const index = join(out, "index.html");
if (!existsSync(index)) {
  console.error("out/index.html is missing: run `npm run build` first");
  process.exit(1);
}

const gzip = (content) => gzipSync(content, { level: 9 }).length;
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;

const html = readFileSync(index, "utf8");
const first = new Map();
let inline = 0;
for (const [, attributes, body] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)) {
  // Browsers that know modules, all that this page supports, never fetch a nomodule script.
  if (/\bnomodule\b/i.test(attributes)) continue;
  const src = /\bsrc="([^"]+)"/.exec(attributes)?.[1];
  if (src) first.set(src.replace(/[?#].*$/, ""), 0);
  else inline += gzip(body);
}
for (const [tag] of html.matchAll(/<link\b[^>]*>/g)) {
  const href = /\bhref="([^"]+\.js)[^"]*"/.exec(tag)?.[1];
  if (href && /rel="(preload|modulepreload)"/.test(tag)) first.set(href, 0);
}
if (first.size === 0) {
  console.error("out/index.html refers to no script: the measurement does not understand this export");
  process.exit(1);
}
for (const src of first.keys()) first.set(src, gzip(readFileSync(join(out, src))));

const chunks = readdirSync(join(out, "_next"), { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".js"));
const later = chunks.filter((name) => !first.has(`/_next/${name}`));
const laterBytes = later.reduce((sum, name) => sum + gzip(readFileSync(join(out, "_next", name))), 0);

for (const [src, bytes] of [...first].sort((a, b) => b[1] - a[1])) {
  console.log(`${kb(bytes).padStart(10)}  ${src}`);
}
const total = inline + [...first.values()].reduce((sum, bytes) => sum + bytes, 0);
console.log(`${kb(inline).padStart(10)}  inline scripts`);
console.log(`${kb(total).padStart(10)}  first page, gzip (budget ${BUDGET_KB} KB)`);
console.log(`${kb(laterBytes).padStart(10)}  ${later.length} scripts loaded later or by other pages`);
if (total > BUDGET_KB * 1000) {
  console.error(`over the budget by ${kb(total - BUDGET_KB * 1000)}`);
  process.exit(1);
}
