"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "@/lib/api/client";
import { MEASURES, type Benchmark } from "@/lib/benchmarks";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/benchmark";
import { outdated } from "@/lib/queries";
import { ErrorNote } from "../ui/error-note";
import { Bars } from "./bars";
import { ResultTable } from "./result-table";

interface Props {
  benchmark: Benchmark;
  /** Null while another one is under way. */
  onAgain: (() => void) | null;
}

/** A benchmark that has ended, charted, with its table. */
export function Outcome({ benchmark, onAgain }: Props) {
  const { t, lang, format } = useArea(texts);
  const { machine, results, status } = benchmark;
  const when = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(benchmark.started_at));
  const measured = results.some((one) => one.questions_tested > 0);
  const facts = [
    t.asked(benchmark.num_questions),
    t.machine(machine.system, machine.cores, format.bytes(machine.memory_total_bytes)),
    `Venom ${benchmark.venom_version}`,
  ];
  return (
    <article aria-label={when} className="card space-y-5 p-4 sm:p-5">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h3 className="font-semibold">
            {when} {status !== "completed" && <span className="text-sm font-normal text-warn">{t[`status_${status}`]}</span>}
          </h3>
          <p className="text-sm text-soft">{facts.join(" · ")}</p>
        </div>
        <div className="flex flex-wrap gap-2">
          {onAgain && <button type="button" className="button" aria-label={t.again_of(when)} onClick={onAgain}>{t.again}</button>}
          <Remove id={benchmark.benchmark_id} when={when} />
        </div>
      </div>
      {measured ? (
        <div className="grid grid-cols-[repeat(auto-fit,minmax(12.5rem,1fr))] gap-6">
          {MEASURES.map((measure) => <Bars key={measure.name} results={results} measure={measure} />)}
        </div>
      ) : (
        <p className="text-soft">{t.no_figures}</p>
      )}
      <details open={!measured || results.some((one) => one.error !== null)}>
        <summary className="w-fit rounded-md text-sm text-soft hover:text-ink">{t.table}</summary>
        <div className="pt-3"><ResultTable results={results} caption={when} /></div>
      </details>
    </article>
  );
}

/** Deleting cannot be undone, so it asks in its place. */
function Remove({ id, when }: { id: string; when: string }) {
  const { t } = useArea(texts);
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.DELETE("/api/v1/benchmark/{benchmark_id}", { params: { path: { benchmark_id: id } } }),
    onSettled: () => outdated("/api/v1/benchmark"),
  });
  if (remove.error) return <ErrorNote error={recordOf(remove.error)} />;
  if (!asking) {
    return <button type="button" className="button" aria-label={t.remove_of(when)} onClick={() => setAsking(true)}>{t.remove}</button>;
  }
  return (
    <>
      <button type="button" className="button" disabled={remove.isPending} autoFocus onClick={() => setAsking(false)}>{t.keep}</button>
      <button type="button" className="button text-danger" disabled={remove.isPending} onClick={() => remove.mutate()}>{t.remove_sure}</button>
    </>
  );
}
