"use client";

import { Slider } from "@base-ui/react/slider";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { contextSteps, nearestStep } from "@/lib/context-steps";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/fit";
import { Answer } from "../ui/answer";
import { StatusDot, type Tone } from "../ui/status-dot";

type Fit = Schemas["FitView"];
export const FIT_TONES: Record<Fit["verdict"], Tone> = { fits: "good", tight: "busy", does_not_fit: "bad", unknown: "off" };

/** Whether a model fits into this machine's memory, at a context that is dragged. */
export function FitCheck({ name }: { name: string }) {
  const [context, setContext] = useState<number | undefined>();
  const query = useQuery({ ...asking("/api/v1/models/{name}/fit", { path: { name }, query: { context } }), placeholderData: keepPreviousData });
  return <Answer query={query}>{(fit) => <Verdict fit={fit} old={query.isPlaceholderData} onContext={setContext} />}</Answer>;
}

function Verdict({ fit, old, onContext }: { fit: Fit; old: boolean; onContext: (context: number) => void }) {
  const { t, format } = useArea(texts);
  const tokens = (count: number) => t.tokens(count, format.count(count));
  const { context_length: context, largest_context_length: largest } = fit;
  return (
    <div className="space-y-5">
      <div role="status" aria-busy={old} className="space-y-1">
        <p className="flex items-center gap-2 font-medium"><StatusDot tone={FIT_TONES[fit.verdict]} /> {t[`verdict_${fit.verdict}`]}</p>
        <p className="text-sm text-soft">{fit.message}</p>
      </div>
      {context !== null && fit.needed_bytes !== null && <ContextSlider fit={fit} context={context} onContext={onContext} />}
      {largest !== null && largest !== context && (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
          {t.largest(tokens(largest))} <button type="button" className="button-quiet" onClick={() => onContext(largest)}>{t.use_largest}</button>
        </p>
      )}
      {fit.needed_bytes !== null && (
        <div className="space-y-1.5">
          <meter className="sr-only" min={0} max={fit.free_bytes} value={Math.min(fit.needed_bytes, fit.free_bytes)} aria-label={t.meter} />
          <progress aria-hidden="true" className="meter" max={fit.free_bytes} value={Math.min(fit.needed_bytes, fit.free_bytes)} />
          <p className="text-sm text-soft tabular-nums">{t.needs(format.bytes(fit.needed_bytes), format.bytes(fit.free_bytes))}</p>
        </div>
      )}
      {fit.parts && <Parts parts={fit.parts} />}
      {fit.assumptions.length > 0 && (
        <details className="text-sm text-soft">
          <summary className="w-fit">{t.assumptions}</summary>
          <ul className="list-disc space-y-1 pt-2 pl-5">{fit.assumptions.map(({ message }) => <li key={message}>{message}</li>)}</ul>
        </details>
      )}
    </div>
  );
}

/** The steps double: between 512 and a million every one is as easy to reach. The question is asked when it is let go. */
function ContextSlider({ fit, context, onContext }: { fit: Fit; context: number; onContext: (context: number) => void }) {
  const { t, format } = useArea(texts);
  const [dragged, setDragged] = useState<number | null>(null);
  const steps = contextSteps(fit.trained_context_length ?? Math.max(context, 131_072), context);
  const at = dragged ?? nearestStep(steps, context);
  const tokens = (place: number) => t.tokens(steps[place] ?? 0, format.count(steps[place] ?? 0));
  const settle = (place: number) => {
    setDragged(null);
    if (steps[place] !== undefined) onContext(steps[place]);
  };
  return (
    <Slider.Root min={0} max={steps.length - 1} value={at} onValueChange={setDragged} onValueCommitted={settle} className="space-y-2">
      <div className="flex items-baseline justify-between gap-4 text-sm">
        <Slider.Label className="font-medium">{t.context}</Slider.Label>
        <Slider.Value className="tabular-nums">{() => tokens(at)}</Slider.Value>
      </div>
      <Slider.Control className="flex h-6 w-full touch-none items-center">
        <Slider.Track className="h-1.5 w-full rounded-full bg-sunken">
          <Slider.Indicator className="rounded-full bg-accent" />
          <Slider.Thumb className="size-5 rounded-full border-2 border-accent bg-raised has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent" getAriaValueText={(_, value) => tokens(value)} />
        </Slider.Track>
      </Slider.Control>
    </Slider.Root>
  );
}

function Parts({ parts }: { parts: Schemas["FitParts"] }) {
  const { t, format } = useArea(texts);
  const known = (["weights", "kv_cache", "compute", "overhead"] as const).filter((name) => parts[name] !== null);
  return (
    <section aria-label={t.parts} className="space-y-1.5">
      <h3 className="text-sm font-medium">{t.parts}</h3>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 text-sm">
        {known.map((name) => (
          <div key={name} className="contents">
            <dt className="text-soft">{t[`part_${name}`]}</dt>
            <dd className="tabular-nums">{format.bytes(parts[name] ?? 0)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
