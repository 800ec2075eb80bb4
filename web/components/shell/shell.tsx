"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { usePathname } from "next/navigation";
import { isChatPath } from "@/lib/address";
import { refresh } from "@/lib/catalogue";
import { language, useText } from "@/lib/i18n";
import { followSignInLink, keyPrompt } from "@/lib/key";
import { lazyPart, whenIdle } from "@/lib/lazy";
import { queries } from "@/lib/queries";
import { routeAt } from "@/lib/routes";
import { useStore } from "@/lib/store";
import { beginVisit } from "@/lib/visit";
import { drawer } from "./drawer";
import { keysPart } from "../palette/keys-part";
import { MenuIcon } from "../ui/icons";
import { Sidebar } from "./sidebar";

export function Shell({ children }: { children: ReactNode }) {
  const { t, lang } = useText();
  const path = usePathname();
  const keys = keysPart.use();
  useLayoutEffect(() => {
    document.documentElement.lang = lang;
    // The texts are in the right language once the store's value is what was rendered.
    if (lang === language.get()) delete document.documentElement.dataset.pending;
  }, [lang]);
  useEffect(() => {
    void followSignInLink(language.get());
    void refresh();
  }, []);
  useEffect(followServerLater, []);
  useEffect(beginVisit, []);
  useEffect(() => drawer.set(false), [path]);
  const route = routeAt(path);
  return (
    <QueryClientProvider client={queries}>
      <title>{route && route.path !== "/" ? `${t[`route_${route.name}`]} · Venom` : "Venom"}</title>
      <a
        href="#content"
        className="fixed top-3 left-3 z-50 -translate-y-20 rounded-lg bg-accent px-4 py-2 text-sm font-medium text-on-accent focus:translate-y-0"
        onClick={(event) => {
          event.preventDefault();
          const target = document.getElementById("message") ?? document.getElementById("content");
          target?.focus();
        }}
      >
        {isChatPath(path) ? t.skip_to_chat : t.skip_to_content}
      </a>
      <div className="flex h-dvh">
        <aside className="hidden w-68 shrink-0 border-r border-line bg-side md:block" aria-label={t.navigation}>
          <Sidebar />
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">{children}</div>
      </div>
      <Drawer />
      <KeyDialog />
      {keys && <keys.Keys />}
    </QueryClientProvider>
  );
}

const keyPart = lazyPart(() => import("./key-dialog"));

/** Fetched when a key is asked for: most never see it. */
function KeyDialog() {
  const asked = useStore(keyPrompt) !== null;
  const part = keyPart.use();
  useEffect(() => {
    if (asked) void keyPart.load();
  }, [asked]);
  return part && <part.KeyDialog />;
}

/** What keeps the answers new is of no use before the first answers are there. */
function followServerLater(): () => void {
  let stop: () => void = () => undefined;
  let over = false;
  whenIdle(() => {
    void keysPart.load();
    void import("@/lib/following").then((found) => {
      if (!over) stop = found.followServer();
    }, () => undefined);
  });
  return () => {
    over = true;
    stop();
  };
}

/** Opens the drawer; pages put it into their top bar. */
export function MenuButton() {
  const { t } = useText();
  return (
    <button type="button" className="button-icon md:hidden" aria-label={t.open_menu} onClick={() => drawer.set(true)}>
      <MenuIcon className="size-5" />
    </button>
  );
}

function Drawer() {
  const { t } = useText();
  const open = useStore(drawer);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-label={t.navigation}
      className="m-0 h-dvh max-h-none w-72 max-w-[85vw] border-r border-line bg-side text-ink"
      onClose={() => drawer.set(false)}
      onClick={(event) => {
        if (event.target === event.currentTarget) drawer.set(false);
      }}
    >
      {open && <Sidebar />}
    </dialog>
  );
}
