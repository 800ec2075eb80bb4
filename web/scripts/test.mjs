// Node 20 runs no TypeScript: compile what the tests need, then hand over to node's own runner.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(join(root, ".test"), { recursive: true, force: true });
run(tsc, "-p", "tsconfig.test.json");
const tests = readdirSync(join(root, ".test", "test")).filter((name) => name.endsWith(".test.js"));
if (tests.length === 0) {
  console.error("web/test holds no *.test.ts: nothing was tested");
  process.exit(1);
}
run("--test", ...tests.map((name) => join(".test", "test", name)));
