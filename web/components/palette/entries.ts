import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useDeferredValue, useMemo } from "react";
import { chatHref } from "@/lib/address";
import { asking } from "@/lib/api/client";
import { canChat, catalogue, chooseModel, chosenModel, modelInUse } from "@/lib/catalogue";
import { askAgain, chat, newChat, openChat, stopAnswer } from "@/lib/chat";
import { chats } from "@/lib/chats";
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES, useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/palette";
import { ROUTES } from "@/lib/routes";
import { useStore } from "@/lib/store";
import { chooseTheme, theme, THEMES } from "@/lib/theme";
import { openSettings } from "../chat/settings-button";
import { over, writeMessage } from "./over";

/** Something that the palette finds and does. */
export interface Entry {
  key: string;
  group: "actions" | "pages" | "chats" | "models" | "looks";
  text: string;
  /** Beside it, and found by as well. */
  more?: string;
  run: () => void;
}

const SHORTEST_SEARCH = 2;

/** Everything there is; conversations also by what was said in them, once something is typed. */
export function useEntries(typed: string): Entry[] {
  const actions = useActions();
  const places = usePlaces();
  const conversations = useConversations(typed);
  const models = useModels();
  const looks = useLooks();
  return useMemo(() => [...actions, ...places, ...conversations, ...models, ...looks], [actions, places, conversations, models, looks]);
}

function useActions(): Entry[] {
  const { t } = useArea(texts);
  const router = useRouter();
  const state = useStore(chat);
  const stock = useStore(catalogue);
  const model = modelInUse(stock, useStore(chosenModel));
  return useMemo(() => {
    const here = document.getElementById("message") !== null;
    const last = state.messages.at(-1);
    const idle = state.phase === "idle";
    const act = (key: string, text: string, run: () => void, may = true): Entry[] => (may ? [{ key: `action ${key}`, group: "actions", text, run }] : []);
    const begin = () => {
      newChat();
      if (!here) router.push("/");
      else writeMessage();
    };
    return [
      ...act("new", t.new_chat, begin),
      ...act("stop", t.stop, stopAnswer, !idle),
      ...act("write", t.write, writeMessage, here),
      ...act("attach", t.attach, () => document.getElementById("pick-files")?.click(), document.getElementById("pick-files") !== null),
      ...act("settings", t.chat_settings, () => openSettings(true), here),
      ...act("again", t.again, () => askAgain({ at: state.messages.findLastIndex((message) => message.role === "user"), model }), here && idle && last?.role === "assistant"),
      ...act("copy", t.copy_answer, () => void navigator.clipboard.writeText(last?.content ?? ""), "clipboard" in navigator && idle && last?.role === "assistant" && last.content !== ""),
      ...act("keys", t.keys, () => over.set("help")),
      ...act("out", t.sign_out, () => void import("@/lib/signing-out").then((found) => found.signOut()), stock.overview?.key_required === true),
    ];
  }, [t, router, state, stock, model]);
}

function usePlaces(): Entry[] {
  const { t } = useText();
  const router = useRouter();
  return useMemo(
    () => ROUTES.map(({ path, name }): Entry => ({ key: `page ${path}`, group: "pages", text: t[`route_${name}`], run: () => router.push(path) })),
    [t, router],
  );
}

function useConversations(typed: string): Entry[] {
  const { t } = useText();
  const router = useRouter();
  const { entries } = useStore(chats);
  const wanted = useDeferredValue(typed.trim());
  const asked = useQuery({
    ...asking("/api/v1/sessions", { query: { query: wanted, limit: 20 } }),
    enabled: wanted.length >= SHORTEST_SEARCH,
  });
  return useMemo(() => {
    const listed = entries.map(({ id, title }) => ({ id, title, more: undefined as string | undefined }));
    const known = new Set(listed.map(({ id }) => id));
    // What was said is not shown: the words typed stand for it, so that it is found by them.
    const said = (asked.data?.sessions ?? []).filter(({ id }) => !known.has(id)).map(({ id, title }) => ({ id, title, more: wanted }));
    const heard = new Set(asked.data?.sessions.map(({ id }) => id));
    const open = (id: string) => {
      if (window.location.pathname === "/") openChat(id);
      else router.push(chatHref(id));
    };
    return [...listed, ...said].map(({ id, title, more }): Entry => ({
      key: `chat ${id}`, group: "chats", text: title || t.untitled, more: more ?? (heard.has(id) ? wanted : undefined), run: () => open(id),
    }));
  }, [entries, asked.data, wanted, t, router]);
}

function useModels(): Entry[] {
  const { t } = useArea(texts);
  const stock = useStore(catalogue);
  const inUse = modelInUse(stock, useStore(chosenModel));
  return useMemo(
    () =>
      (stock.models ?? []).filter(canChat).map(({ id, provider, runs_at }): Entry => ({
        key: `model ${id}`, group: "models", text: t.use_model(id), more: id === inUse ? t.in_use : (runs_at ?? provider), run: () => chooseModel(id),
      })),
    [stock, inUse, t],
  );
}

function useLooks(): Entry[] {
  const { t: shared, lang } = useText();
  const { t } = useArea(texts);
  const current = useStore(theme);
  return useMemo(
    () => [
      ...THEMES.map((one): Entry => ({ key: `theme ${one}`, group: "looks", text: t.appearance(shared[`theme_${one}`]), more: one === current ? t.in_use : undefined, run: () => chooseTheme(one) })),
      ...LANGUAGES.map((one): Entry => ({ key: `language ${one}`, group: "looks", text: t.language(LANGUAGE_NAMES[one]), more: one === lang ? t.in_use : undefined, run: () => chooseLanguage(one) })),
    ],
    [t, shared, lang, current],
  );
}
