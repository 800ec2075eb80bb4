"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { newChat } from "@/lib/chat";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/palette";
import { lazyPart } from "@/lib/lazy";
import { modifierName, shortcutOf, takesLetters, type Shortcut } from "@/lib/shortcuts";
import { useStore } from "@/lib/store";
import { openSettings, settingsOpen } from "../chat/settings-button";
import { SearchIcon } from "../ui/icons";
import { over, writeMessage } from "./over";

const palettePart = lazyPart(() => import("./palette"));

/** Listens for the keys of the page; what they open is fetched on first use. */
export function Keys() {
  const router = useRouter();
  const open = useStore(over);
  const part = palettePart.use();
  useEffect(() => {
    if (open !== null) void palettePart.load();
  }, [open]);
  useEffect(() => {
    const doings: Record<Shortcut, () => void> = {
      find: () => over.set(over.get() === "palette" ? null : "palette"),
      help: () => over.set("help"),
      new: () => {
        newChat();
        if (window.location.pathname !== "/") router.push("/");
        writeMessage();
      },
      settings: () => openSettings(!settingsOpen.get()),
      write: writeMessage,
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const shortcut = shortcutOf(event, takesLetters(document.activeElement));
      if (shortcut === null) return;
      // Another dialog has the page to itself.
      if (over.get() === null && document.querySelector("dialog[open]") && shortcut !== "settings") return;
      if ((shortcut === "settings" || shortcut === "write") && !document.getElementById("message")) return;
      event.preventDefault();
      doings[shortcut]();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [router]);
  if (!part || open === null) return null;
  const close = () => over.set(null);
  return open === "palette" ? <part.Palette onClose={close} /> : <part.KeysHelp onClose={close} />;
}

/** The same for those who do not know the key yet. */
export function FindButton() {
  const { t } = useArea(texts);
  const [modifier] = useState(() => modifierName(navigator.platform));
  return (
    <button type="button" className="button-quiet" aria-label={`${t.open}: ${modifier} K`} title={t.open} aria-keyshortcuts="Control+K Meta+K" onClick={() => over.set("palette")}>
      <SearchIcon /> <kbd className="font-sans text-xs max-md:hidden">{modifier} K</kbd>
    </button>
  );
}
