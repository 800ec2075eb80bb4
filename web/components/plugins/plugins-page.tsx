"use client";

import { useEffect, useState } from "react";
import { getPlugins } from "@/lib/api";
import { recordOf, type ErrorRecord } from "@/lib/errors";
import { language, useText } from "@/lib/i18n";
import { allowAsking } from "@/lib/key";
import type { PluginRecord, PluginState, ProviderRecord, Reason } from "@/lib/api/types";
import { MenuButton } from "../shell/shell";
import { PROVIDER_TONES } from "../shell/providers";
import { ErrorNote } from "../ui/error-note";
import { RetryIcon } from "../ui/icons";
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
  const { t } = useText();
  const [plugins, setPlugins] = useState<PluginRecord[] | null>(null);
  const [error, setError] = useState<ErrorRecord | null>(null);
  const load = () => {
    getPlugins().then(
      (records) => {
        setPlugins(records);
        setError(null);
      },
      (thrown) => setError(recordOf(thrown)),
    );
  };
  useEffect(() => {
    load();
    return language.subscribe(load);
  }, []);
  const again = () => {
    allowAsking();
    load();
  };
  return (
    <>
      <header className="flex h-14 shrink-0 items-center gap-2 px-3 md:hidden">
        <MenuButton />
      </header>
      <main id="content" tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto outline-none">
        <div className="mx-auto max-w-3xl space-y-6 px-5 pt-2 pb-16 md:pt-14">
          <div className="flex items-start justify-between gap-4">
            <div className="space-y-1.5">
              <h1 className="text-2xl font-semibold tracking-tight">{t.plugins}</h1>
              <p className="text-soft">{t.plugins_text}</p>
            </div>
            <button type="button" className="button-icon" aria-label={t.retry} title={t.retry} onClick={again}>
              <RetryIcon />
            </button>
          </div>
          {error && <ErrorNote error={error} />}
          {plugins === null && !error && <p role="status" className="text-soft">{t.loading}…</p>}
          {plugins?.length === 0 && <p className="text-soft">{t.plugins_none}</p>}
          <ul className="space-y-3">
            {plugins?.map((plugin) => (
              <li key={plugin.id}>
                <Plugin plugin={plugin} />
              </li>
            ))}
          </ul>
        </div>
      </main>
    </>
  );
}

function Plugin({ plugin }: { plugin: PluginRecord }) {
  const { t, format } = useText();
  const facts = [
    plugin.version,
    plugin.origin === "first_party" ? t.plugin_first_party : t.plugin_third_party,
    plugin.api && t.plugin_api(plugin.api),
    plugin.load_ms !== null && t.plugin_load(format.duration(plugin.load_ms)),
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
        <State tone={STATE_TONES[plugin.state]} text={t[`state_${plugin.state}`]} />
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
