"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { outdated } from "@/lib/queries";
import { ServiceLog } from "../runtime/service-log";
import { Answer } from "../ui/answer";
import { Disclosure } from "../ui/disclosure";
import { ErrorNote } from "../ui/error-note";
import { StatusDot, type Tone } from "../ui/status-dot";

type Engine = Schemas["EngineRecord"];

const TONES: Record<Engine["state"], Tone> = { running: "good", starting: "busy", stopped: "off", failed: "bad" };

/** The processes that run models: what each takes, its log, and stopping it. Their memory changes without any event. */
export function Engines() {
  const { t } = useArea(texts);
  const query = useQuery({ ...asking("/api/v1/engines"), refetchInterval: 4000 });
  return (
    <section aria-labelledby="engines" className="space-y-3">
      <div>
        <h2 id="engines" className="text-lg font-semibold tracking-tight">{t.engines}</h2>
        <p className="text-sm text-soft">{t.engines_text}</p>
      </div>
      <Answer query={query} isEmpty={(told) => told.engines.length === 0} empty={t.engines_none}>
        {(told) => (
          <ul className="space-y-3">
            {told.engines.map((engine) => (
              <li key={`${engine.provider} ${engine.name}`}>
                <EngineCard engine={engine} isServer={told.servers.includes(engine.provider)} />
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </section>
  );
}

/** An engine of one model is stopped by taking its model out; one of all models is a service. */
async function act(engine: Engine, isServer: boolean, action: "stop" | "restart"): Promise<void> {
  if (isServer || engine.reference === null) {
    await api.POST("/api/v1/runtime/{service}/{action}", { params: { path: { service: engine.provider, action } } });
    return;
  }
  const params = { params: { path: { name: engine.reference } } };
  await api.POST("/api/v1/models/{name}/unload", params);
  if (action === "restart") await api.POST("/api/v1/models/{name}/load", params);
}

function EngineCard({ engine, isServer }: { engine: Engine; isServer: boolean }) {
  const { t, format, lang } = useArea(texts);
  const name = engine.reference ?? engine.name;
  const change = useMutation({
    mutationFn: (action: "stop" | "restart") => act(engine, isServer, action),
    onSettled: () => outdated("/api/v1/engines", "/api/v1/runtime", "/api/v1/system", "/api/v1/models"),
  });
  const since = engine.started_at && new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "short" }).format(new Date(engine.started_at));
  const facts: [string, string | number | null][] = [
    [t.engine_memory, engine.memory_bytes === null ? null : format.bytes(engine.memory_bytes)],
    [t.engine_port, engine.port],
    [t.engine_process, engine.pid],
    [t.engine_since, since],
  ];
  return (
    <article aria-label={name} className="card space-y-3 p-4 text-sm">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h3 className="min-w-0 font-medium [overflow-wrap:anywhere]">{name}</h3>
        <p className="flex items-center gap-2">
          <StatusDot tone={TONES[engine.state]} />
          {t[`engine_${engine.state}`]}{engine.progress && ` (${engine.progress})`}
        </p>
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1">
        {facts.filter(([, value]) => value !== null).map(([label, value]) => (
          <div key={label} className="flex gap-1.5">
            <dt className="text-soft">{label}</dt>
            <dd className="tabular-nums">{value}</dd>
          </div>
        ))}
        {engine.restarts > 0 && <div className="text-warn">{t.restarts(engine.restarts)}</div>}
      </dl>
      <div className="flex flex-wrap gap-2">
        <button type="button" className="button" disabled={change.isPending} aria-label={t.stop_of(name)} onClick={() => change.mutate("stop")}>{t.stop}</button>
        <button type="button" className="button" disabled={change.isPending} aria-label={t.restart_of(name)} onClick={() => change.mutate("restart")}>{t.restart}</button>
      </div>
      {change.isError && <ErrorNote error={recordOf(change.error)} />}
      <Disclosure title={t.log} label={t.log_of(name)}><ServiceLog service={engine.provider} /></Disclosure>
    </article>
  );
}
