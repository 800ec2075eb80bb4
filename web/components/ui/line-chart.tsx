"use client";

import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "react";
import type uPlot from "uplot";
import { CHART_TONES, hasValues, latest, tableRows, type ChartData } from "@/lib/charts";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/charts";

interface Props extends ChartData {
  title: string;
  /** A value with its unit, in the language. */
  show: (value: number) => string;
  /** A moment as the table has it, and a shorter one for the axis. */
  moment: (seconds: number) => string;
  tick?: (seconds: number) => string;
  /** The end of the scale, where the values have one. */
  max?: number;
  /** Halves of what is counted mean nothing. */
  whole?: boolean;
}

const HEIGHT = 150;
/** Seconds between two marks of the axis: whole minutes, hours, days. */
const STEPS = [60, 120, 300, 600, 1800, 3600, 10_800, 21_600, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000];
const COUNTS = [1, 2, 5].flatMap((digit) => [digit, digit * 10, digit * 100, digit * 1000, digit * 10_000]).sort((a, b) => a - b);
const FONT = "11px ui-sans-serif, system-ui, sans-serif";

/** The lines of some values over time, with a legend, and the same as a table: hidden from the eye until it is asked for, never from a screen reader. */
export function LineChart({ title, times, series, show, moment, tick = moment, max, whole = false }: Props) {
  const { t } = useArea(texts);
  const [asTable, setAsTable] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const data = { times, series };
  return (
    <figure className="card flex min-w-0 flex-col gap-2 p-4 pb-3" aria-label={title}>
      <div className="flex items-start justify-between gap-2">
        <figcaption className="text-sm font-medium">{title}</figcaption>
        <button type="button" className="button-quiet -mt-1 -mr-1 shrink-0 text-xs" aria-pressed={asTable} aria-label={t.as_table_of(title)} onClick={() => setAsTable(!asTable)}>
          {t.as_table}
        </button>
      </div>
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft" aria-hidden="true">
        {series.map((one) => {
          const value = at === null ? latest(one.values) : (one.values[at] ?? null);
          return (
            <li key={one.label} className="flex items-center gap-1.5">
              <span className={`h-0.5 w-3.5 rounded bg-current ${CHART_TONES[one.tone]}`} /> {one.label}
              <span className="font-medium text-ink tabular-nums">{value === null ? t.unknown : show(value)}</span>
            </li>
          );
        })}
        {at !== null && times[at] !== undefined && <li className="ml-auto tabular-nums">{moment(times[at])}</li>}
      </ul>
      {!asTable && (hasValues(data)
        ? <Lines {...data} show={show} tick={tick} max={max} whole={whole} onPoint={setAt} />
        : <p aria-hidden="true" className="flex h-37 items-center justify-center text-sm text-soft">{t.nothing_yet}</p>)}
      <div className={asTable ? "max-h-48 overflow-auto" : "sr-only"} tabIndex={asTable ? 0 : undefined} role={asTable ? "region" : undefined} aria-label={asTable ? title : undefined}>
        <table className="w-full text-xs tabular-nums">
          <caption className="sr-only">{title}</caption>
          <thead>
            <tr className="text-soft">
              <th scope="col" className="py-1 pr-3 text-start font-medium">{t.time}</th>
              {series.map((one) => <th key={one.label} scope="col" className="py-1 pr-3 text-end font-medium">{one.label}</th>)}
            </tr>
          </thead>
          <tbody>
            {tableRows(data).map((row) => (
              <tr key={row.time} className="border-t border-line">
                <th scope="row" className="py-1 pr-3 text-start font-normal">{moment(row.time)}</th>
                {row.values.map((value, place) => <td key={place} className="py-1 pr-3 text-end">{value === null ? t.unknown : show(value)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

type LinesProps = Required<Pick<Props, "show" | "tick">> & ChartData & { max?: number; whole: boolean; onPoint: (at: number | null) => void };

/** The drawing, made by uPlot, which comes when there is the first thing to draw. */
function Lines({ times, series, show, tick, max, whole, onPoint }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const now = useRef({ times, series, show, tick, max, onPoint });
  now.current = { times, series, show, tick, max, onPoint };
  const aligned = (): uPlot.AlignedData => [[...now.current.times], ...now.current.series.map((one) => [...one.values])];
  const count = series.length;

  useEffect(() => {
    let over = false;
    const end = new AbortController();
    void import("uplot").then(({ default: Plot }) => {
      const host = box.current;
      if (over || !host) return;
      const probe = (at: number) => getComputedStyle(host.children[at] ?? host).color;
      const axis = { stroke: () => probe(count), grid: { stroke: () => probe(count + 1), width: 1 }, ticks: { show: false }, font: FONT };
      chart.current = new Plot({
        width: host.clientWidth, height: HEIGHT, legend: { show: false }, padding: [8, 28, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, points: { show: count < 4 } },
        scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), now.current.max ?? Math.max(high ?? 0, 1) * 1.1] } },
        axes: [
          { ...axis, size: 22, space: 70, incrs: STEPS, values: (_, splits) => splits.map((value) => now.current.tick(value)) },
          { ...axis, size: 62, space: 32, incrs: whole ? COUNTS : undefined, values: (_, splits) => splits.map((value) => now.current.show(value)) },
        ],
        series: [{}, ...now.current.series.map((_, at) => ({
          stroke: () => probe(at), width: 1.75, dash: at === 0 ? undefined : [5, 3], points: { show: false }, spanGaps: false,
        }))],
        hooks: { setCursor: [(plot) => now.current.onPoint(plot.cursor.left !== undefined && plot.cursor.left >= 0 ? (plot.cursor.idx ?? null) : null)] },
      }, aligned(), host);
      const sized = new ResizeObserver(() => chart.current?.setSize({ width: host.clientWidth, height: HEIGHT }));
      sized.observe(host);
      // Colours are the theme's at each drawing: whoever changes it makes it be drawn anew.
      const redraw = () => chart.current?.redraw(false);
      const themed = new MutationObserver(redraw);
      themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal: end.signal });
      end.signal.addEventListener("abort", () => { sized.disconnect(); themed.disconnect(); });
    }, () => undefined);
    return () => {
      over = true;
      end.abort();
      chart.current?.destroy();
      chart.current = null;
      now.current.onPoint(null);
    };
  }, [count, whole]);
  useEffect(() => chart.current?.setData(aligned()));
  return (
    <div ref={box} aria-hidden="true" className="relative h-37 min-w-0 overflow-hidden">
      {series.map((one) => <span key={one.label} className={`hidden ${CHART_TONES[one.tone]}`} />)}
      <span className="hidden text-soft" />
      <span className="hidden text-line" />
    </div>
  );
}
