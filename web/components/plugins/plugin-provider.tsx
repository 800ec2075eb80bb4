"use client";

import { useMutation } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import type { ProviderRecord } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { actOf, type PluginVerb } from "@/lib/plugin-fixes";
import { outdated } from "@/lib/queries";
import { PROVIDER_TONES } from "../shell/providers";
import { ErrorNote } from "../ui/error-note";
import { DocsLink } from "../ui/sentence";
import { StatusDot } from "../ui/status-dot";
import { PluginTry } from "./plugin-try";
import { ReasonNote } from "./reason-note";

/** What a person asks for by name; the others (load, unload, ps) are how these are done. */
const TOLD = ["chat", "complete", "embed", "rerank", "search", "pull", "remove", "build", "engines"] as const;

/** A way to models that a plugin brings: its state, what it offers, what it broke, a try. */
export function PluginProvider({ provider, titled }: { provider: ProviderRecord; titled: boolean }) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const offers = TOLD.filter((one) => provider.capabilities.includes(one));
  const serves = provider.capabilities.includes("chat") && ["ready", "degraded", "idle"].includes(provider.status);
  return (
    <div className="space-y-2.5 text-sm">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <div className="min-w-0 flex-1">
          {titled && <h3 className="font-medium">{provider.title}</h3>}
          <p className="text-soft">{provider.summary}</p>
        </div>
        <p className="flex items-center gap-2">
          <StatusDot tone={PROVIDER_TONES[provider.status]} /> {shared[`status_${provider.status}`]}
        </p>
      </div>
      <p className="flex flex-wrap gap-x-3 gap-y-1 text-soft">
        <span>{offers.length > 0 ? `${t.offers}: ${offers.map((one) => t[`cap_${one}`]).join(", ")}` : t.observes}</span>
        {provider.engine_version && <span>{t.engine_version(provider.engine_version)}</span>}
        {provider.homepage && (
          <a href={provider.homepage} target="_blank" rel="noreferrer noopener" className="underline underline-offset-2 hover:text-ink" aria-label={t.homepage(provider.title)}>
            {new URL(provider.homepage).host}
          </a>
        )}
      </p>
      {provider.reason && <ProviderReason provider={provider} />}
      {provider.breaches.length > 0 && (
        <details>
          <summary className="text-soft">{t.breaches}</summary>
          <ul className="list-disc space-y-1 pt-2 pl-5">
            {provider.breaches.map((one) => (
              <li key={`${one.rule} ${one.method}`}>{one.message} ({t.times(one.count)}) <DocsLink docs={one.docs} code={one.rule} /></li>
            ))}
          </ul>
        </details>
      )}
      {serves && <PluginTry provider={provider.name} title={provider.title} />}
    </div>
  );
}

function ProviderReason({ provider }: { provider: ProviderRecord }) {
  const { t } = useArea(texts);
  const act = actOf(provider.reason?.fix ?? null, provider);
  const fix = useMutation({
    mutationFn: async () => {
      if (act?.kind === "service") {
        const path = { service: act.service, action: "start" };
        return (await api.POST("/api/v1/runtime/{service}/{action}", { params: { path } })).data;
      }
      if (!act) return undefined;
      const path = { plugin_id: act.plugin, verb: act.verb as PluginVerb };
      return (await api.POST("/api/v1/plugins/{plugin_id}/{verb}", { params: { path } })).data;
    },
    onSettled: () => outdated("/api/v1/plugins", "/api/v1/overview", "/api/v1/engines", "/api/v1/system", "/api/v1/runtime", "/api/v1/models"),
  });
  if (!provider.reason) return null;
  return (
    <>
      <ReasonNote reason={provider.reason}>
        {act && (
          <button
            type="button" className="button-accent" disabled={fix.isPending} onClick={() => fix.mutate()}
            aria-label={act.kind === "service" ? t.start_of(provider.title) : t.verb_of(t[`verb_${act.verb}`], provider.title)}
          >
            {act.kind === "service" ? t.start_it : t[`verb_${act.verb}`]}
          </button>
        )}
      </ReasonNote>
      {fix.isError && <ErrorNote error={recordOf(fix.error)} />}
    </>
  );
}
