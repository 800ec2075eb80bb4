"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { allowAsking } from "@/lib/key";
import type { PluginRecord, PluginState, ProviderRecord, Reason } from "@/lib/api/types";
import { PROVIDER_TONES } from "../shell/providers";
import { Answer } from "../ui/answer";
import { RetryIcon } from "../ui/icons";
import { Page } from "../ui/page";
import { DocsLink, Fix } from "../ui/sentence";
import { StatusDot, type Tone } from "../ui/status-dot";

const STATE_TONES: Record<PluginState, Tone> = {
  loaded: "good",
  discovered: "busy",
  disabled: "off",
  incompatible: "bad",
  failed: "bad",
};

export function PluginsPage() {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const query = useQuery(asking("/api/v1/plugins"));
  const again = () => {
    allowAsking();
    void query.refetch();
  };
  const refresh = (
    <button type="button" className="button-icon" aria-label={shared.retry} title={shared.retry} onClick={again}>
      <RetryIcon />
    </button>
  );
  return (
    <Page title={t.title} intro={t.text} actions={refresh}>
      <Answer query={query} isEmpty={(answer) => answer.plugins.length === 0} empty={t.none}>
        {(answer) => (
          <ul className="space-y-3">
            {answer.plugins.map((plugin) => (
              <li key={plugin.id}>
                <Plugin plugin={plugin} />
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Page>
  );
}

function Plugin({ plugin }: { plugin: PluginRecord }) {
  const { t, format } = useArea(texts);
  const { t: shared } = useText();
  const facts = [
    plugin.version,
    plugin.origin === "first_party" ? t.first_party : t.third_party,
    plugin.api && t.api(plugin.api),
    plugin.load_ms !== null && t.load(format.duration(plugin.load_ms)),
  ].filter(Boolean);
  return (
    <article aria-label={plugin.id} className="card space-y-4 p-5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <div className="min-w-0">
          <h2 className="font-semibold">{plugin.id}</h2>
          <p className="text-sm text-soft">
            <span className="font-mono text-[0.8125rem]">{plugin.distribution}</span> · {facts.join(" · ")}
          </p>
        </div>
        <State tone={STATE_TONES[plugin.state]} text={shared[`state_${plugin.state}`]} />
      </div>
      {plugin.reason && <ReasonNote reason={plugin.reason} />}
      {plugin.providers.length > 0 && (
        <ul className="space-y-3 border-t border-line pt-4">
          {plugin.providers.map((provider) => (
            <li key={provider.name}>
              <Provider provider={provider} />
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

function Provider({ provider }: { provider: ProviderRecord }) {
  const { t } = useText();
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 text-sm">
        <p>
          <span className="font-medium">{provider.name}</span>{" "}
          <span className="text-soft">{provider.capabilities.join(", ")}</span>
        </p>
        <State tone={PROVIDER_TONES[provider.status]} text={t[`status_${provider.status}`]} />
      </div>
      {provider.reason && <ReasonNote reason={provider.reason} />}
    </div>
  );
}

function State({ tone, text }: { tone: Tone; text: string }) {
  return (
    <span className="flex items-center gap-2 text-sm">
      <StatusDot tone={tone} /> {text}
    </span>
  );
}

function ReasonNote({ reason }: { reason: Reason }) {
  const { t } = useText();
  return (
    <div className="space-y-2 rounded-lg bg-sunken/60 px-3.5 py-3 text-sm">
      <p>{reason.message}</p>
      {reason.fix && (
        <div className="space-y-1">
          <p className="text-xs font-medium text-soft">{t.fix}</p>
          <Fix fix={reason.fix} />
        </div>
      )}
      <p className="flex flex-wrap gap-x-3 text-xs text-soft">
        <span className="font-mono">{reason.code}</span> <DocsLink docs={reason.docs} code={reason.code} />
      </p>
    </div>
  );
}
