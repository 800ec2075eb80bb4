"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { asking } from "@/lib/api/client";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/logs";
import { Answer } from "../ui/answer";
import { CopyButton } from "../ui/copy-button";

const LINES = 200;

/** The end of each log of a service; a log is told of by no feed, so it is asked for while it is looked at. */
export function ServiceLog({ service }: { service: string }) {
  const { t } = useArea(texts);
  const params = { path: { service }, query: { lines: LINES } };
  const query = useQuery({ ...asking("/api/v1/runtime/{service}/log", params), refetchInterval: 3000 });
  return (
    <Answer query={query} isEmpty={(told) => told.logs.every((log) => log.lines.length === 0)} empty={t.none}>
      {(told) => (
        <div className="space-y-4">
          {told.logs.map((log) => <Lines key={log.name} name={log.name} changed={log.changed_at} lines={log.lines} />)}
        </div>
      )}
    </Answer>
  );
}

function Lines({ name, changed, lines }: { name: string; changed: string; lines: string[] }) {
  const { t, lang } = useArea(texts);
  const { t: shared } = useText();
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  const last = lines.at(-1);
  // Whoever has scrolled up reads there; else the newest line is kept in sight.
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [last, lines.length]);
  const text = lines.join("\n");
  const moment = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(changed));
  return (
    <section aria-label={t.log_of(name)}>
      <div className="flex flex-wrap items-center justify-between gap-2 pb-1 text-xs text-soft">
        <p><span className="font-mono">{name}</span> · {t.written(moment)}</p>
        <CopyButton text={text} label={shared.copy_of(t.log_of(name))} />
      </div>
      <pre
        ref={box} tabIndex={0} aria-label={t.log_of(name)} role="region"
        className="max-h-80 overflow-auto rounded-lg bg-sunken px-3 py-2 font-mono text-xs leading-relaxed"
        onScroll={({ currentTarget: at }) => { follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < 24; }}
      >
        {text}
      </pre>
    </section>
  );
}
