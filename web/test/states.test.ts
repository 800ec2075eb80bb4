import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import plugins from "../lib/i18n/areas/plugins";
import { en } from "../lib/i18n/en";
import { pl } from "../lib/i18n/pl";

interface Shape {
  properties: Record<string, { enum?: string[] }>;
}

const { components } = JSON.parse(readFileSync("openapi.json", "utf8")) as { components: { schemas: Record<string, Shape> } };

function statesOf(shape: string, key: string): string[] {
  const states = components.schemas[shape]?.properties[key]?.enum ?? [];
  assert.ok(states.length > 3, `${shape}.${key} is no list of states`);
  return states;
}

test("every state that the server may tell has a word in each language", () => {
  const wanted = [
    ...statesOf("ProviderView", "status").map((state) => `status_${state}`),
    ...statesOf("PluginView", "state").map((state) => `state_${state}`),
  ];
  for (const texts of [{ ...en, ...plugins.en }, { ...pl, ...plugins.pl }]) assert.deepEqual(wanted.filter((key) => !(key in texts)), []);
});
