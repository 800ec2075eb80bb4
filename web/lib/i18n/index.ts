import { useMemo } from "react";
import { makeFormat } from "../format";
import { readItem, writeItem } from "../storage";
import { createStore, useStore } from "../store";
import { en, type Dictionary } from "./en";
import { pl } from "./pl";

export type { Dictionary } from "./en";

export const LANGUAGES = ["en", "pl"] as const;
export type Language = (typeof LANGUAGES)[number];

export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", pl: "Polski" };
const DICTIONARIES: Record<Language, Dictionary> = { en, pl };

/** The same rule as in the script of app/layout.tsx: the choice made here, else the browser's. */
function initialLanguage(): Language {
  if (typeof window === "undefined") return "en";
  const chosen = readItem("localStorage", "venom.lang");
  if (chosen === "en" || chosen === "pl") return chosen;
  return navigator.language.toLowerCase().startsWith("pl") ? "pl" : "en";
}

export const language = createStore<Language>("en", initialLanguage());

export function chooseLanguage(chosen: Language): void {
  writeItem("localStorage", "venom.lang", chosen);
  language.set(chosen);
}

/** The texts and the formats of the language in use. */
export function useText() {
  const lang = useStore(language);
  return useMemo(() => ({ lang, t: DICTIONARIES[lang], format: makeFormat(lang) }), [lang]);
}
