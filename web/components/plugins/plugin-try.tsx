"use client";

import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { useRef } from "react";
import { api } from "@/lib/api/client";
import { postJson } from "@/lib/api/request";
import type { Schemas } from "@/lib/api/types";
import { isAbort, recordOf } from "@/lib/errors";
import { selfTestOf } from "@/lib/fragment";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { ErrorNote } from "../ui/error-note";

type ModelOption = Schemas["ModelOption"];

/** The model that answers soonest: one in memory, else the smallest. */
function quickest(models: readonly ModelOption[]): ModelOption | undefined {
  const weight = (model: ModelOption) => (model.loaded ? -1 : (model.size_gb ?? Infinity));
  return [...models].sort((a, b) => weight(a) - weight(b))[0];
}

interface Tried {
  /** Null where there is none to ask. */
  model: ModelOption | null;
  ms: number;
  said: string;
}

async function tryOne(provider: string, signal: AbortSignal): Promise<Tried> {
  const options = (await api.GET("/api/v1/system/llm-runtime/options", { signal })).data;
  const model = quickest(options?.runtimes.find((one) => one.provider === provider)?.models ?? []);
  if (!model) return { model: null, ms: 0, said: "" };
  const began = performance.now();
  const asked = { model: model.reference, messages: [{ role: "user", content: "Say hello." }], max_tokens: 24 };
  const answer = await postJson<Schemas["ChatCompletion"]>("/v1/chat/completions", asked, { signal });
  const content: unknown = answer.choices[0]?.message.content;
  return { model, ms: performance.now() - began, said: typeof content === "string" ? content.trim() : "" };
}

/** Asks a model of a provider for a few words: whether all of the way to an answer works. */
export function PluginTry({ provider, title }: { provider: string; title: string }) {
  const { t, format } = useArea(texts);
  const { t: shared } = useText();
  const abort = useRef(new AbortController());
  const attempt = useMutation({
    mutationFn: () => {
      abort.current = new AbortController();
      return tryOne(provider, abort.current.signal);
    },
  });
  const { data } = attempt;
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        {attempt.isPending
          ? <button type="button" className="button" onClick={() => abort.current.abort()}>{shared.cancel}</button>
          : <button type="button" className="button" aria-label={t.try_of(title)} onClick={() => attempt.mutate()}>{t.try_it}</button>}
        <p role="status" className="min-w-0 text-soft [overflow-wrap:anywhere]">
          {attempt.isPending && `${t.trying}…`}
          {data && (data.model === null ? t.no_model : t.tried(data.model.id, format.duration(data.ms)))}
        </p>
      </div>
      {data?.said && <blockquote className="border-l-2 border-line pl-3 text-soft [overflow-wrap:anywhere]">{data.said}</blockquote>}
      {data?.model && (
        <Link href={`/models#${selfTestOf(data.model.reference)}`} prefetch={false} className="button-quiet -ml-2 w-fit">{t.test_all(data.model.id)}</Link>
      )}
      {attempt.isError && !isAbort(attempt.error) && <ErrorNote error={recordOf(attempt.error)} />}
    </div>
  );
}
