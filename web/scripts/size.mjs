// The budgets of the page: every script that index.html makes a modern browser fetch, gzipped, and of
// each route the scripts of its own. What is loaded later (Markdown, the model picker's list) is
// printed, not counted.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { ownWeights, scriptsOf } from "./weights.mjs";

const BUDGET_KB = 180;
const ROUTE_KB = 80;
const web = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(web, "out");
const faults = [];

const gzip = (content) => gzipSync(content, { level: 9 }).length;
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;
const weights = new Map();
function weigh(src) {
  if (!weights.has(src)) weights.set(src, gzip(readFileSync(join(out, src))));
  return weights.get(src);
}

function exported(path) {
  const name = path === "/" ? "index.html" : `${path.slice(1)}.html`;
  if (!existsSync(join(out, name))) {
    console.error(`out/${name} is missing: run \`npm run build\` first`);
    process.exit(1);
  }
  const found = scriptsOf(readFileSync(join(out, name), "utf8"));
  if (found.sources.length === 0) {
    console.error(`out/${name} refers to no script: the measurement does not understand this export`);
    process.exit(1);
  }
  return found;
}

const first = exported("/");
for (const src of [...first.sources].sort((a, b) => weigh(b) - weigh(a))) {
  console.log(`${kb(weigh(src)).padStart(10)}  ${src}`);
}
const inline = first.inline.reduce((sum, body) => sum + gzip(body), 0);
const total = inline + first.sources.reduce((sum, src) => sum + weigh(src), 0);
const later = readdirSync(join(out, "_next"), { recursive: true })
  .map((name) => `/_next/${name}`)
  .filter((src) => src.endsWith(".js") && !first.sources.includes(src));
console.log(`${kb(inline).padStart(10)}  inline scripts`);
console.log(`${kb(total).padStart(10)}  first page, gzip (budget ${BUDGET_KB} KB)`);
console.log(`${kb(later.reduce((sum, src) => sum + weigh(src), 0)).padStart(10)}  ${later.length} scripts loaded later or by other pages`);
if (total > BUDGET_KB * 1000) faults.push(`the first page is over its budget by ${kb(total - BUDGET_KB * 1000)}`);

const paths = JSON.parse(readFileSync(join(web, "lib", "routes.json"), "utf8")).map((route) => route.path);
const { shared, routes } = ownWeights(Object.fromEntries(paths.map((path) => [path, exported(path).sources])), weigh);
console.log(`\n${kb(shared).padStart(10)}  shared by every page\n\n  own, gzip  route (budget ${ROUTE_KB} KB each)`);
for (const { path, own } of routes) {
  console.log(`${kb(own).padStart(11)}  ${path}`);
  if (own > ROUTE_KB * 1000) faults.push(`${path} is over its budget by ${kb(own - ROUTE_KB * 1000)}`);
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
