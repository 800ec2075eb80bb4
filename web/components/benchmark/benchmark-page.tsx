"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, asking } from "@/lib/api/client";
import type { Benchmark } from "@/lib/benchmarks";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/benchmark";
import { outdated } from "@/lib/queries";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { Page } from "../ui/page";
import { Chooser } from "./chooser";
import { Outcome } from "./outcome";
import { Running } from "./running";

const FEW = 5;
const LISTED = 200;

export function BenchmarkPage() {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/benchmark/list", { query: { limit: LISTED } }));
  const start = useMutation({
    mutationFn: async (wanted: { models: string[]; num_questions: number }) => (await api.POST("/api/v1/benchmark/start", { body: wanted })).data,
    onSettled: () => outdated("/api/v1/benchmark"),
  });
  const running = query.data?.benchmarks.find((one) => one.status === "running");
  return (
    <Page title={t.title} intro={t.text} wide>
      {start.error && <ErrorNote error={recordOf(start.error)} />}
      {running ? <Running benchmark={running} /> : <Chooser isStarting={start.isPending} onStart={start.mutate} />}
      <section aria-labelledby="kept" className="space-y-4" hidden={running && query.data?.benchmarks.length === 1}>
        <h2 id="kept" className="text-lg font-semibold tracking-tight">{t.kept}</h2>
        <Answer query={query} isEmpty={({ benchmarks }) => benchmarks.every((one) => one === running)} empty={t.none_kept}>
          {({ benchmarks }) => (
            <Kept
              benchmarks={benchmarks.filter((one) => one !== running)}
              onAgain={running || start.isPending ? null : (one) => start.mutate({
                models: one.results.map((result) => result.model_name), num_questions: one.num_questions,
              })}
            />
          )}
        </Answer>
      </section>
    </Page>
  );
}

function Kept({ benchmarks, onAgain }: { benchmarks: Benchmark[]; onAgain: ((one: Benchmark) => void) | null }) {
  const { t } = useArea(texts);
  const [shown, setShown] = useState(FEW);
  return (
    <>
      <ul className="space-y-4">
        {benchmarks.slice(0, shown).map((one) => (
          <li key={one.benchmark_id}><Outcome benchmark={one} onAgain={onAgain && (() => onAgain(one))} /></li>
        ))}
      </ul>
      {benchmarks.length > shown && (
        <button type="button" className="button" onClick={() => setShown(shown + FEW)}>{t.older}</button>
      )}
    </>
  );
}
