import { useMemo } from "react";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/config";
import names from "@/lib/i18n/areas/config-names";
import type { Problem, Setting, Value } from "@/lib/settings";

/** Settings, their groups and values in words. */
export function useWords() {
  const { t, lang, format } = useArea(texts);
  const { t: labels } = useArea(names);
  return useMemo(() => {
    const number = new Intl.NumberFormat(lang, { maximumFractionDigits: 6 });
    const dates = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });
    const labelOf = ({ key }: Pick<Setting, "key">): string => {
      const known = (labels as Record<string, string>)[key];
      const own = key.split(".").at(-1)!.replaceAll("_", " ").replace(/\b(url|api|id)\b/g, (word) => word.toUpperCase());
      return known ?? own.charAt(0).toUpperCase() + own.slice(1);
    };
    const groupOf = (group: string): string => {
      const known = (t as Record<string, unknown>)[`group_${group}`];
      return typeof known === "string" ? known : t.group_provider(group.split(".").at(-1)!);
    };
    const valueOf = (value: Value): string => {
      if (value === null || (Array.isArray(value) && value.length === 0)) return t.no_value;
      if (typeof value === "boolean") return value ? t.yes : t.no;
      if (typeof value === "number") return number.format(value);
      return Array.isArray(value) ? value.join(", ") : value;
    };
    const problemOf = (problem: Problem): string => {
      if (problem.kind === "least") return t.problem_least(number.format(problem.bound));
      if (problem.kind === "most") return t.problem_most(number.format(problem.bound));
      return problem.kind === "choice" ? t.problem_choice(problem.choices.join(", ")) : t[`problem_${problem.kind}`];
    };
    const whenOf = (date: string) => dates.format(new Date(date));
    return { t, format, number, labelOf, groupOf, valueOf, problemOf, whenOf };
  }, [t, labels, lang, format]);
}

export type Words = ReturnType<typeof useWords>;
