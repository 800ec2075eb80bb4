"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { outdated } from "@/lib/queries";
import { Answer } from "../ui/answer";
import { Disclosure } from "../ui/disclosure";
import { ErrorNote } from "../ui/error-note";
import { StatusDot, type Tone } from "../ui/status-dot";
import { Part } from "./part";
import { ServiceLog } from "./service-log";

type Service = Schemas["RunningServiceView"];

const TONES: Record<Service["status"], Tone> = { running: "good", degraded: "busy", stopped: "off", unknown: "off", error: "bad" };
const ACTIONS = ["start", "stop", "restart"] as const;
type Action = (typeof ACTIONS)[number];

/** Each service with what it takes, which changes without any event: it is asked for while it is seen. */
export function Services() {
  const { t } = useArea(texts);
  const query = useQuery({ ...asking("/api/v1/runtime/status"), refetchInterval: 5000 });
  return (
    <Part id="services" title={t.services} text={t.services_text}>
      <Answer query={query}>
        {(told) => (
          <ul className="grid gap-3 lg:grid-cols-2">
            {told.services.map((one) => <li key={one.name} className="min-w-0"><ServiceCard service={one} /></li>)}
          </ul>
        )}
      </Answer>
    </Part>
  );
}

/** What makes sense to ask of a service as it is. */
function actionsOf({ supports, status }: Service): Action[] {
  const runs = status === "running" || status === "degraded";
  return ACTIONS.filter((action) => supports[action] && (action === "start") !== runs);
}

function ServiceCard({ service }: { service: Service }) {
  const { t, format, lang } = useArea(texts);
  const change = useMutation({
    mutationFn: async (action: Action) =>
      (await api.POST("/api/v1/runtime/{service}/{action}", { params: { path: { service: service.name, action } } })).data,
    onSettled: () => outdated("/api/v1/runtime", "/api/v1/system", "/api/v1/engines", "/api/v1/models", "/api/v1/overview"),
  });
  const since = service.started_at && new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "short" }).format(new Date(service.started_at));
  const facts: [string, string | number | null][] = [
    [t.at, service.endpoint],
    [t.port, service.endpoint ? null : service.port],
    [t.cpu, service.cpu_percent === null ? null : `${format.count(service.cpu_percent)}\u00a0%`],
    [t.memory, service.memory_mb === null ? null : format.bytes(service.memory_mb * 1024 * 1024)],
    [t.process, service.pid],
    [t.since, since],
    [t.answers_in, service.latency_ms === null || service.status !== "running" ? null : format.duration(service.latency_ms)],
  ];
  const actions = actionsOf(service);
  const hasLog = service.service_type !== "server" && service.service_type !== "ui";
  return (
    <article aria-label={service.title} className="card h-full space-y-3 p-4 text-sm">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <h3 className="font-medium">{service.title} <span className="font-normal text-soft">{t[`type_${service.service_type}`]}</span></h3>
        <p className="flex items-center gap-2"><StatusDot tone={TONES[service.status]} /> {t[`service_${service.status}`]}</p>
      </div>
      {service.error_message && <p className="rounded-lg bg-sunken/60 px-3 py-2 [overflow-wrap:anywhere]">{service.error_message}</p>}
      <dl className="flex flex-wrap gap-x-6 gap-y-1">
        {facts.filter(([, value]) => value !== null).map(([label, value]) => (
          <div key={label} className="flex min-w-0 gap-1.5">
            <dt className="shrink-0 text-soft">{label}</dt>
            <dd className="min-w-0 tabular-nums [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ))}
      </dl>
      {service.service_type === "server" && actions.length === 0 && <p className="text-xs text-soft">{t.not_ours}</p>}
      <div className="flex flex-wrap items-center gap-2">
        {actions.map((action) => (
          <button
            key={action} type="button" className="button" disabled={change.isPending}
            aria-label={t.action_of(t[action], service.title)} onClick={() => change.mutate(action)}
          >
            {t[action]}
          </button>
        ))}
        <p role="status" className="text-soft">{change.isPending ? "…" : change.data?.message}</p>
      </div>
      {change.isError && <ErrorNote error={recordOf(change.error)} />}
      {hasLog && <Disclosure title={t.log} label={t.log_of(service.title)}><ServiceLog service={service.name} /></Disclosure>}
    </article>
  );
}
