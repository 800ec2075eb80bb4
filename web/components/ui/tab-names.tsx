"use client";

import { Tabs } from "@base-ui/react/tabs";

/** The row of names of a `Tabs.Root`, by the values of their panels. */
export function TabNames({ names }: { names: Record<string, string> }) {
  return (
    <Tabs.List className="flex gap-1 overflow-x-auto border-b border-line">
      {Object.entries(names).map(([value, name]) => (
        <Tabs.Tab key={value} value={value} className="-mb-px shrink-0 border-b-2 border-transparent px-2.5 py-2 text-sm text-soft -outline-offset-2 hover:text-ink data-active:border-accent data-active:font-medium data-active:text-ink">
          {name}
        </Tabs.Tab>
      ))}
    </Tabs.List>
  );
}
