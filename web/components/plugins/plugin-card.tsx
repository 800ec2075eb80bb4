"use client";

import { useMutation } from "@tanstack/react-query";
import { api } from "@/lib/api/client";
import type { PluginRecord, PluginState } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { actOf, verbsOf, type PluginVerb } from "@/lib/plugin-fixes";
import { outdated } from "@/lib/queries";
import { Disclosure } from "../ui/disclosure";
import { ErrorNote } from "../ui/error-note";
import { CommandLine } from "../ui/sentence";
import { StatusDot, type Tone } from "../ui/status-dot";
import { PluginProvider } from "./plugin-provider";
import { PluginSettings } from "./plugin-settings";
import { ReasonNote } from "./reason-note";

const TONES: Record<PluginState, Tone> = { loaded: "good", discovered: "busy", disabled: "off", incompatible: "bad", failed: "bad" };

/** An installed plugin: its state, why, what can be done, what it brings, its settings. */
export function PluginCard({ plugin }: { plugin: PluginRecord }) {
  const { t, format } = useArea(texts);
  const change = useMutation({
    mutationFn: async (verb: PluginVerb) =>
      (await api.POST("/api/v1/plugins/{plugin_id}/{verb}", { params: { path: { plugin_id: plugin.id, verb } } })).data,
    onSettled: () => outdated("/api/v1/plugins", "/api/v1/overview", "/api/v1/engines", "/api/v1/system", "/api/v1/models"),
  });
  const title = plugin.providers.length === 1 ? (plugin.providers[0]?.title ?? plugin.id) : plugin.id;
  const facts = [
    plugin.version,
    plugin.origin === "first_party" ? t.first_party : t.third_party,
    t.api(plugin.api),
    plugin.load_ms !== null && t.load(format.duration(plugin.load_ms)),
  ].filter(Boolean);
  const act = actOf(plugin.reason?.fix ?? null);
  const fixing = act?.kind === "plugin" && act.plugin === plugin.id ? act.verb : null;
  const button = (verb: PluginVerb, style: string) => (
    <button
      key={verb} type="button" className={style} disabled={change.isPending}
      aria-label={t.verb_of(t[`verb_${verb}`], title)} onClick={() => change.mutate(verb)}
    >
      {t[`verb_${verb}`]}
    </button>
  );
  return (
    <article aria-label={title} className="card space-y-4 p-5">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0 space-y-0.5">
          <h2 className="font-semibold">{title}</h2>
          <p className="text-sm text-soft">
            <span className="font-mono text-[0.8125rem]">{plugin.distribution}</span> · {facts.join(" · ")}
          </p>
        </div>
        <p className="flex items-center gap-2 text-sm">
          <StatusDot tone={TONES[plugin.state]} /> {t[`state_${plugin.state}`]}
        </p>
      </div>
      {plugin.reason && (
        <ReasonNote reason={plugin.reason}>{fixing && button(fixing, "button-accent")}</ReasonNote>
      )}
      {plugin.providers.length > 0 && (
        <ul className="space-y-4 border-t border-line pt-4">
          {plugin.providers.map((provider) => (
            <li key={provider.name}>
              <PluginProvider provider={provider} titled={plugin.providers.length > 1} />
            </li>
          ))}
        </ul>
      )}
      {change.isError && <ErrorNote error={recordOf(change.error)} />}
      <div className="flex flex-wrap items-center gap-2 border-t border-line pt-4">
        {verbsOf(plugin).filter((verb) => verb !== fixing).map((verb) => button(verb, "button"))}
        <p role="status" className="text-sm text-soft">{change.isSuccess ? change.data?.message : ""}</p>
      </div>
      {plugin.state === "loaded" && (
        <Disclosure title={t.settings} label={t.settings_of(title)}>
          <PluginSettings plugin={plugin.id} />
        </Disclosure>
      )}
      {plugin.state === "failed" && (
        <div className="space-y-1 text-sm text-soft">
          <p>{t.check_it}</p>
          <CommandLine command={`venom plugins check ${plugin.id}`} />
        </div>
      )}
    </article>
  );
}
