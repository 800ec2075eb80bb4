"use client";

import { useEffect, useRef, type ReactNode } from "react";
import type { Catalogue } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import { lazyPart, whenIdle } from "@/lib/lazy";
import { chatOptions, isChanged } from "@/lib/options";
import { readItem, writeItem } from "@/lib/storage";
import { createStore, useStore } from "@/lib/store";
import { SlidersIcon } from "../ui/icons";

const ITEM = "venom.chat-settings";
const ID = "chat-settings";

/** Whether the settings of the chat are shown beside it. */
export const settingsOpen = createStore(false);
export const settingsPart = lazyPart(() => import("../chat-settings/settings-panel"));

export function openSettings(open: boolean): void {
  // On a phone they lie over the chat, which nobody wants to find so.
  if (window.matchMedia("(min-width: 64rem)").matches) writeItem("localStorage", ITEM, open ? "1" : null);
  settingsOpen.set(open);
  if (open) void settingsPart.load();
}

export function SettingsButton() {
  const { t } = useText();
  const open = useStore(settingsOpen);
  const changed = isChanged(useStore(chatOptions));
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(open);
  useEffect(() => {
    whenIdle(() => {
      if (readItem("localStorage", ITEM) === "1") openSettings(true);
    });
  }, []);
  useEffect(() => {
    if (was.current && !open && !document.activeElement?.closest("#message")) button.current?.focus();
    was.current = open;
  }, [open]);
  return (
    <button
      ref={button}
      type="button"
      className="button relative"
      aria-expanded={open}
      aria-controls={open ? ID : undefined}
      aria-label={changed ? t.chat_settings_changed : t.chat_settings}
      title={t.chat_settings}
      onClick={() => openSettings(!open)}
    >
      <SlidersIcon />
      {changed && <span aria-hidden="true" className="absolute -top-1 -right-1 size-2.5 rounded-full bg-accent" />}
    </button>
  );
}

/** The chat, and its settings beside it where they are open. */
export function BesideSettings({ stock, model, children }: { stock: Catalogue; model: string | null; children: ReactNode }) {
  const open = useStore(settingsOpen);
  const part = settingsPart.use();
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">{children}</div>
      {open && part && <part.SettingsPanel id={ID} stock={stock} model={model} onClose={() => openSettings(false)} />}
    </div>
  );
}
