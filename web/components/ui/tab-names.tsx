"use client";

import { Tabs } from "@base-ui/react/tabs";
import { useEffect, useRef } from "react";

/** The row of names of a `Tabs.Root`, by the values of their panels. */
export function TabNames({ names }: { names: Record<string, string> }) {
  const list = useRef<HTMLDivElement>(null);
  // On a phone the one that is shown first may be further right than the row is wide.
  useEffect(() => void list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), []);
  return (
    <Tabs.List ref={list} className="flex gap-1 overflow-x-auto border-b border-line">
      {Object.entries(names).map(([value, name]) => (
        <Tabs.Tab key={value} value={value} className="-mb-px shrink-0 border-b-2 border-transparent px-2.5 py-2 text-sm text-soft -outline-offset-2 hover:text-ink data-active:border-accent data-active:font-medium data-active:text-ink">
          {name}
        </Tabs.Tab>
      ))}
    </Tabs.List>
  );
}
