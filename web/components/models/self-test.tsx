"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import type { JsonOf, ModelRecord } from "@/lib/api/types";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/self-test";
import { cancelSelfTest, selfTests, startSelfTest, type SelfTestRun } from "@/lib/self-tests";
import { useStore } from "@/lib/store";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { Capabilities } from "./capabilities";
import { SelfTestTable, useQuestionWord } from "./self-test-table";

type Kept = JsonOf<"/api/v1/models/{name}/selftest">;

/** What a model really does: its last self-test, and the one under way. */
export function SelfTest({ model: { reference, runs_at } }: { model: ModelRecord }) {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/models/{name}/selftest", { path: { name: reference } }));
  const run = useStore(selfTests)[reference];
  const running = run?.status === "running";
  return (
    <div className="space-y-5">
      <p className="text-sm leading-relaxed text-soft">{t.text}</p>
      {runs_at && <p className="text-sm text-warn">{t.elsewhere(runs_at)}</p>}
      {running ? <Running run={run} onCancel={() => cancelSelfTest(reference)} /> : (
        <div className="flex flex-wrap items-center gap-3">
          <button type="button" className="button-accent" onClick={() => void startSelfTest(reference)}>
            {query.data?.self_test ? t.again : t.start}
          </button>
          <p role="status" className="min-w-0 flex-1 basis-40 text-sm text-soft">
            {run?.status === "done" && t.done}
            {run?.status === "cancelled" && t.cancelled}
          </p>
        </div>
      )}
      {run?.error && <ErrorNote error={run.error} />}
      {running && run.rows.length > 0 ? <SelfTestTable rows={run.rows} /> : (
        <Answer query={query} isEmpty={({ self_test }) => self_test === null} empty={<p className="text-sm">{t.never}</p>}>
          {(kept) => <Last kept={kept} />}
        </Answer>
      )}
    </div>
  );
}

function Running({ run: { questions, rows }, onCancel }: { run: SelfTestRun; onCancel: () => void }) {
  const { t, format } = useArea(texts);
  const { t: shared } = useText();
  const word = useQuestionWord();
  const next = questions[rows.length];
  return (
    <div className="card space-y-3 p-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p role="status" className="min-w-0 flex-1 basis-48 text-sm">
          {next ? t.asking(format.count(rows.length + 1), format.count(questions.length), word(next)) : `${t.starting}…`}
        </p>
        <button type="button" className="button" onClick={onCancel}>{shared.cancel}</button>
      </div>
      <progress className="meter" aria-label={t.progress} max={questions.length || 1} value={rows.length} />
      <p className="text-xs text-soft">{t.goes_on}</p>
    </div>
  );
}

function Last({ kept: { self_test, capability_states, rows } }: { kept: Kept }) {
  const { t, lang } = useArea(texts);
  if (!self_test) return null;
  const when = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(self_test.tested_at));
  const facts = [t.last(when), self_test.engine_version && t.engine(self_test.engine_version), `Venom ${self_test.venom_version}`];
  return (
    <div className="space-y-4">
      <p className="text-sm text-soft">{facts.filter(Boolean).join(" · ")}</p>
      {self_test.outdated && <p className="text-sm text-warn">{t.outdated}</p>}
      {capability_states && (
        <div className="space-y-1.5">
          <h3 className="text-sm font-medium">{t.capabilities}</h3>
          <Capabilities model={{ capabilities: Object.keys(capability_states), capability_states }} />
        </div>
      )}
      <SelfTestTable rows={rows} />
    </div>
  );
}
