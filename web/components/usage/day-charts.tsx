"use client";

import { useMemo } from "react";
import { makeDates } from "@/lib/dates";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import { dayOf, linesOf, type Days } from "@/lib/usage";
import { LineChart } from "../ui/line-chart";
import { Section } from "../ui/section";

/** Days as a chart writes them. */
export function useDays() {
  const { lang, format } = useArea(texts);
  const dates = useMemo(() => makeDates(lang), [lang]);
  return {
    show: (value: number) => format.count(value),
    moment: (seconds: number) => dates.day(dayOf(seconds)),
    tick: (seconds: number) => dates.shortDay(dayOf(seconds)),
  };
}

/** Requests and tokens, day by day. */
export function DayCharts({ points }: { points: Days["points"] }) {
  const { t } = useArea(texts);
  const written = useDays();
  const requests = linesOf(points, [
    { label: t.answered, tone: "accent", of: (day) => day.requests - day.failed },
    { label: t.not_answered, tone: "danger", of: (day) => day.refused + day.failed },
  ]);
  const tokens = linesOf(points, [
    { label: t.read, tone: "soft", of: (day) => day.prompt_tokens },
    { label: t.written, tone: "accent", of: (day) => day.completion_tokens + day.estimated_tokens },
  ]);
  return (
    <Section title={t.by_day}>
      <div className="grid gap-4 lg:grid-cols-2">
        <LineChart title={t.requests_by_day} {...requests} {...written} />
        <LineChart title={t.tokens_by_day} {...tokens} {...written} />
      </div>
    </Section>
  );
}
