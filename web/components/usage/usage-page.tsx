"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import { allowAsking } from "@/lib/key";
import { outdated } from "@/lib/queries";
import { spanQuery, type Span } from "@/lib/usage";
import { Answer } from "../ui/answer";
import { DownloadIcon, RetryIcon } from "../ui/icons";
import { Page } from "../ui/page";
import { DayCharts } from "./day-charts";
import { Groups } from "./groups";
import { SpanChoice } from "./span-choice";
import { Totals } from "./totals";

const FIRST: Span = { days: 30, since: "", until: "" };

export function UsagePage() {
  const { t } = useArea(texts);
  const [span, setSpan] = useState(FIRST);
  const where = spanQuery(span);
  const session = useQuery(asking("/api/v1/session"));
  // The feed tells nothing of usage: each look at the page asks.
  const query = useQuery({ ...asking("/api/v1/usage/series", { query: where }), staleTime: 0 });
  const summary = useQuery({ ...asking("/api/v1/usage/summary", { query: { ...where, by: "model", limit: 1 } }), staleTime: 0 });
  const scopes = session.data?.scopes ?? null;
  const administers = session.data !== undefined && (scopes === null || scopes.includes("admin"));
  const csv = `/api/v1/usage/export.csv?${new URLSearchParams(Object.entries(where).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))}`;
  const again = () => {
    allowAsking();
    void outdated("/api/v1/usage");
  };
  const actions = (
    <>
      <a href={csv} download className="button"><DownloadIcon /> {t.csv}</a>
      <button type="button" className="button-icon" aria-label={t.again} title={t.again} onClick={again}><RetryIcon /></button>
    </>
  );
  return (
    <Page title={t.title} intro={t.text} actions={actions} wide>
      <SpanChoice span={span} onChoose={setSpan} />
      {session.data && !administers && <p className="text-sm text-soft">{t.own_only}</p>}
      <Answer query={summary} isEmpty={({ totals }) => totals.requests + totals.refused === 0} empty={<Nothing />}>
        {({ totals }) => (
          <div className="space-y-8">
            <Totals totals={totals} />
            <Answer query={query}>{({ points }) => <DayCharts points={points} />}</Answer>
            <Groups where={where} administers={administers} tokens={totals.prompt_tokens + totals.completion_tokens + totals.estimated_tokens} />
          </div>
        )}
      </Answer>
    </Page>
  );
}

function Nothing() {
  const { t } = useArea(texts);
  return (
    <div className="card space-y-3 p-6 text-center">
      <p className="font-medium text-ink">{t.nothing}</p>
      <p className="text-sm">{t.nothing_text}</p>
      <Link href="/" prefetch={false} className="button">{t.to_chat}</Link>
    </div>
  );
}
