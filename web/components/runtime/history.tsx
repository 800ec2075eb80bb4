"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { Answer } from "../ui/answer";
import { StatusDot } from "../ui/status-dot";
import { Part } from "./part";

const FIRST = 15;
const MOST = 200;

/** What happened to services, the newest first. */
export function History() {
  const { t, lang } = useArea(texts);
  const [limit, setLimit] = useState(FIRST);
  const query = useQuery({ ...asking("/api/v1/runtime/history", { query: { limit } }), placeholderData: keepPreviousData });
  const moment = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" });
  return (
    <Part id="history" title={t.history}>
      <Answer query={query} isEmpty={(told) => told.history.length === 0} empty={t.history_none}>
        {(told) => (
          <>
            <div className="overflow-x-auto" role="region" aria-labelledby="history" tabIndex={0}>
              <table className="w-full min-w-md text-sm">
                <thead>
                  <tr className="text-soft">
                    {[t.when, t.service, t.what].map((head) => <th key={head} scope="col" className="py-1.5 pr-4 text-start font-medium">{head}</th>)}
                  </tr>
                </thead>
                <tbody>
                  {told.history.map((one, at) => (
                    <tr key={at} className="border-t border-line align-baseline">
                      <td className="py-1.5 pr-4 whitespace-nowrap text-soft tabular-nums">{moment.format(new Date(one.timestamp))}</td>
                      <th scope="row" className="py-1.5 pr-4 text-start font-medium">{one.service}</th>
                      <td className="py-1.5 pr-4">
                        <span className="flex items-baseline gap-2">
                          <StatusDot tone={one.success ? "good" : "bad"} />
                          <span className="sr-only">{one.success ? t.done : t.failed}</span>
                          <span className="[overflow-wrap:anywhere]">{one.message}</span>
                        </span>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {told.history.length >= limit && limit < MOST && (
              <button type="button" className="button" onClick={() => setLimit(Math.min(MOST, limit * 4))}>{t.more}</button>
            )}
          </>
        )}
      </Answer>
    </Part>
  );
}
