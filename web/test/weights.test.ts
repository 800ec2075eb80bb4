import assert from "node:assert/strict";
import { test } from "vitest";
import { ownWeights, scriptsOf } from "../scripts/weights.mjs";

test("what a browser fetches at once is counted, once, and what it never fetches is not", () => {
  const html = `<link rel="preload" as="script" href="/_next/a.js"><link rel="stylesheet" href="/_next/a.css">
    <script src="/_next/a.js?x=1" async></script><script src="/_next/b.js"></script>
    <script src="/_next/old.js" noModule></script><script>go()</script>`;
  assert.deepEqual(scriptsOf(html), { sources: ["/_next/a.js", "/_next/b.js"], inline: ["go()"] });
});

test("a route's own weight is what not every route has", () => {
  const bytes: Record<string, number> = { all: 100, some: 20, one: 3 };
  const pages = { "/": ["all", "some"], "/a": ["all", "some", "one"], "/b": ["all"] };
  assert.deepEqual(ownWeights(pages, (src: string) => bytes[src]!), {
    shared: 100, routes: [{ path: "/a", own: 23 }, { path: "/", own: 20 }, { path: "/b", own: 0 }],
  });
});
