import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "vitest";
import { en } from "../lib/i18n/en";
import { pl } from "../lib/i18n/pl";
import { ROUTES, routeAt } from "../lib/routes";

test("every page is in the table, has a name in each language, and a file", () => {
  const folders = readdirSync("app", { recursive: true }).map(String).filter((name) => name.endsWith("page.tsx"));
  const paths = folders.map((name) => `/${name.replace(/\/?page\.tsx$/, "")}`);
  assert.deepEqual(paths.sort(), ROUTES.map((route) => route.path).sort());
  for (const route of ROUTES) {
    assert.ok(existsSync(`app${route.path === "/" ? "" : route.path}/page.tsx`), route.path);
    for (const texts of [en, pl]) assert.ok(texts[`route_${route.name}`], route.name);
  }
});

test.each([
  ["/", "chat"], ["/plugins", "plugins"], ["/plugins/", "plugins"], ["/c/0a1b", "chat"], ["/nothing", undefined],
])("%s is the page %s", (path, name) => {
  assert.equal(routeAt(path)?.name, name);
});
