import { useMemo } from "react";
import { makeFormat } from "../format";
import { readItem, writeItem } from "../storage";
import { createStore, useStore } from "../store";
import { en, type Dictionary } from "./en";

export type { Dictionary } from "./en";

export const LANGUAGES = ["en", "pl"] as const;
export type Language = (typeof LANGUAGES)[number];

export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", pl: "Polski" };
/** English is in the exported page; another language is fetched by who reads it. */
const dictionaries: Partial<Record<Language, Dictionary>> = { en };
const FETCHED: Record<Exclude<Language, "en">, () => Promise<Dictionary>> = {
  pl: () => import("./pl").then((module) => module.pl),
};

/** The same rule as in the script of app/layout.tsx: the choice made here, else the browser's. */
function initialLanguage(): Language {
  if (typeof window === "undefined") return "en";
  const chosen = readItem("localStorage", "venom.lang");
  if (chosen === "en" || chosen === "pl") return chosen;
  return navigator.language.toLowerCase().startsWith("pl") ? "pl" : "en";
}

/** The language that was chosen: requests ask for it at once. */
export const language = createStore<Language>("en", initialLanguage());
/** The language on the screen: the chosen one as soon as its texts are there. */
export const shown = createStore<Language>("en");

async function showChosen(): Promise<void> {
  const chosen = language.get();
  try {
    if (chosen !== "en") dictionaries[chosen] ??= await FETCHED[chosen]();
    if (language.get() === chosen) shown.set(chosen);
  } catch {
    // Better in the other language than not at all.
    if (language.get() === chosen) language.set(shown.get());
    delete document.documentElement.dataset.pending;
  }
}

language.subscribe(() => void showChosen());
if (language.get() !== "en") void showChosen();

export function chooseLanguage(chosen: Language): void {
  writeItem("localStorage", "venom.lang", chosen);
  language.set(chosen);
}

/** The texts and the formats of the language in use. */
export function useText() {
  const lang = useStore(shown);
  return useMemo(() => ({ lang, t: dictionaries[lang] ?? en, format: makeFormat(lang) }), [lang]);
}
