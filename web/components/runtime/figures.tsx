"use client";

import { useQuery, type QueryClient } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import { joined, type Figures } from "@/lib/figures";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { Answer } from "../ui/answer";
import { LineChart } from "../ui/line-chart";
import { Part } from "./part";

const SECONDS = 300;
const MEBIBYTE = 1024 * 1024;
/** Of a machine's figures no feed tells. Not asked for in a tab that nobody sees. */
const EVERY_MS = 2000;

/** Asks for everything once, then for what is new. */
function newest() {
  const whole = asking("/api/v1/system/figures", { query: { seconds: SECONDS } });
  return {
    queryKey: whole.queryKey,
    queryFn: async ({ client, signal }: { client: QueryClient; signal: AbortSignal }): Promise<Figures> => {
      const known = client.getQueryData<Figures>(whole.queryKey);
      const since = known?.points.at(-1)?.at;
      if (!known || !since) return whole.queryFn({ signal });
      return joined(known, await asking("/api/v1/system/figures", { query: { seconds: SECONDS, since } }).queryFn({ signal }), SECONDS);
    },
  };
}

export function FiguresPart() {
  const { t } = useArea(texts);
  const query = useQuery({ ...newest(), refetchInterval: EVERY_MS });
  return (
    <Part id="figures" title={t.figures} text={t.paused}>
      <Answer query={query}>{(told) => <Charts told={told} />}</Answer>
    </Part>
  );
}

function Charts({ told }: { told: Figures }) {
  const { t, lang, format } = useArea(texts);
  const { points } = told;
  const times = points.map((point) => Date.parse(point.at) / 1000);
  const clock = new Intl.DateTimeFormat(lang, { hour: "numeric", minute: "2-digit", second: "2-digit" });
  const short = new Intl.DateTimeFormat(lang, { hour: "numeric", minute: "2-digit" });
  const at = (form: Intl.DateTimeFormat) => (seconds: number) => form.format(new Date(seconds * 1000));
  const shared = { times, moment: at(clock), tick: at(short) };
  const percent = (value: number) => `${format.count(value)}\u00a0%`;
  // Bytes, so that the marks of an axis are whole in the unit that is shown.
  const size = (mb: number | null) => (mb === null ? null : mb * MEBIBYTE);
  const full = (title: string, total: number | null) => (total ? t.of_total(title, format.bytes(total * MEBIBYTE)) : title);
  return (
    <div className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
      <LineChart {...shared} title={t.cpu} show={percent} max={100} series={[{ label: t.busy, tone: "accent", values: points.map((one) => one.cpu_percent) }]} />
      <LineChart
        {...shared} title={full(t.memory, told.memory_total_mb)} show={format.bytes} max={size(told.memory_total_mb) ?? undefined}
        series={[{ label: t.used, tone: "accent", values: points.map((one) => size(one.memory_used_mb)) }]}
      />
      <LineChart
        {...shared} title={full(t.disk, told.disk_total_mb)} show={format.bytes} max={size(told.disk_total_mb) ?? undefined}
        series={[{ label: t.used, tone: "accent", values: points.map((one) => size(one.disk_used_mb)) }]}
      />
      <LineChart
        {...shared} title={t.requests} show={format.count} whole
        series={[
          { label: t.ended, tone: "accent", values: points.map((one) => one.requests) },
          { label: t.refused, tone: "danger", values: points.map((one) => one.refused) },
        ]}
      />
      <LineChart
        {...shared} title={t.tokens} show={(value) => t.per_second(format.rate(value))}
        series={[{ label: t.tokens, tone: "accent", values: points.map((one) => one.tokens_per_second) }]}
      />
      {told.vram_total_mb === 0
        ? <Note title={t.gpu} text={t.no_gpu} />
        : (
          <>
            {points.some((one) => one.gpu_percent !== null)
              ? <LineChart {...shared} title={t.gpu} show={percent} max={100} series={[{ label: t.busy, tone: "warn", values: points.map((one) => one.gpu_percent) }]} />
              : <Note title={t.gpu} text={t.gpu_unknown} />}
            {told.vram_total_mb !== null && (
              <LineChart
                {...shared} title={full(t.gpu_memory, told.vram_total_mb)} show={format.bytes} max={size(told.vram_total_mb) ?? undefined}
                series={[{ label: t.used, tone: "warn", values: points.map((one) => size(one.vram_used_mb)) }]}
              />
            )}
          </>
        )}
    </div>
  );
}

function Note({ title, text }: { title: string; text: string }) {
  return (
    <section aria-label={title} className="card space-y-2 p-4 text-sm">
      <h3 className="font-medium">{title}</h3>
      <p className="text-soft">{text}</p>
    </section>
  );
}
