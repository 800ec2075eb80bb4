import { useMemo } from "react";
import { makeFormat, type Format } from "../format";
import { useStore } from "../store";
import { shown, type Language } from ".";

type Text = string | ((...args: never[]) => string);
type Translated<T> = { [K in keyof T]: T[K] extends (...args: infer A) => string ? (...args: A) => string : string };

/** The texts of one page. `alike` are those that both languages write alike. */
export interface Area<T> {
  en: T;
  pl: Translated<T>;
  alike: readonly string[];
}

/**
 * Each page has its texts in a file of `areas/`, which exports what this gives and is loaded with
 * the page. Every language has the same keys, or it does not compile.
 */
export function area<T extends Record<string, Text>>(en: T, pl: Translated<T>, alike: readonly (keyof T & string)[] = []): Area<T> {
  return { en, pl, alike };
}

/** The texts of a page and the formats in the language in use. */
export function useArea<T>(texts: Area<T>): { t: T; lang: Language; format: Format } {
  const lang = useStore(shown);
  return useMemo(() => ({ t: texts[lang] as T, lang, format: makeFormat(lang) }), [texts, lang]);
}
