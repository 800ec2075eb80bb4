"use client";

import { useMutation } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import type { Benchmark } from "@/lib/benchmarks";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/benchmark";
import { outdated } from "@/lib/queries";
import { ErrorNote } from "../ui/error-note";
import { ResultTable } from "./result-table";

/** The benchmark under way: the feed brings each step of it. */
export function Running({ benchmark }: { benchmark: Benchmark }) {
  const { t } = useArea(texts);
  const cancel = useMutation({
    mutationFn: () => api.POST("/api/v1/benchmark/{benchmark_id}/cancel", { params: { path: { benchmark_id: benchmark.benchmark_id } } }),
    onSettled: () => outdated("/api/v1/benchmark"),
  });
  return (
    <section aria-labelledby="running" className="card space-y-4 p-4 sm:p-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0">
          <h2 id="running" className="font-semibold">{t.running}</h2>
          <p role="status" className="text-sm text-soft [overflow-wrap:anywhere]">
            {benchmark.current_model ? t.running_model(benchmark.current_model) : `${t.starting}…`}
          </p>
        </div>
        <button type="button" className="button" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          {cancel.isPending ? `${t.cancelling}…` : t.cancel}
        </button>
      </div>
      <progress className="meter" aria-label={t.progress} max={100} value={benchmark.progress} />
      {cancel.error && <ErrorNote error={recordOf(cancel.error)} />}
      <ResultTable results={benchmark.results} caption={t.running} />
    </section>
  );
}
