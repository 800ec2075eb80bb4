"use client";

import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asking } from "@/lib/api/client";
import type { ModelRecord, Schemas } from "@/lib/api/types";
import { catalogue, titleOf } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { useStore } from "@/lib/store";
import { Answer } from "../ui/answer";
import { Modal } from "../ui/modal";
import { TabNames } from "../ui/tab-names";
import { Aliases } from "./aliases";
import { Capabilities } from "./capabilities";
import { FitCheck } from "./fit-check";
import { Parameters } from "./parameters";
import { SelfTest } from "./self-test";

export type Tab = "facts" | "memory" | "parameters" | "aliases" | "selftest";

interface Props {
  model: ModelRecord;
  /** What is looked at first. */
  first: Tab;
  onClose: () => void;
}

/** Everything about one installed model, and what can be set of it. */
export function ModelDetails({ model, first, onClose }: Props) {
  const { t } = useArea(texts);
  const panels: Record<Tab, [string, ReactNode]> = {
    facts: [t.tab_facts, <Facts key="facts" listed={model} />],
    memory: [t.tab_memory, <FitCheck key="memory" name={model.reference} />],
    parameters: [t.tab_parameters, <Parameters key="parameters" name={model.reference} />],
    aliases: [t.tab_aliases, <Aliases key="aliases" target={model.reference} />],
    selftest: [t.tab_selftest, <SelfTest key="selftest" model={model} />],
  };
  const names = Object.fromEntries(Object.entries(panels).map(([value, [name]]) => [value, name]));
  return (
    <Modal title={model.id} onClose={onClose}>
      <Tabs.Root defaultValue={first}>
        <TabNames names={names} />
        {Object.entries(panels).map(([value, [, panel]]) => (
          <Tabs.Panel key={value} value={value} className="min-h-64 rounded-lg pt-5">{panel}</Tabs.Panel>
        ))}
      </Tabs.Root>
    </Modal>
  );
}

/** Who serves it is told by the listing alone. */
function Facts({ listed }: { listed: ModelRecord }) {
  const query = useQuery(asking("/api/v1/models/{name}/details", { path: { name: listed.reference } }));
  return <Answer query={query}>{({ model }) => <FactList model={model} runtimes={listed.runtimes} />}</Answer>;
}

function FactList({ model, runtimes }: { model: Schemas["ModelDetails"]; runtimes: string[] }) {
  const stock = useStore(catalogue);
  const { t, format } = useArea(texts);
  const { t: shared } = useText();
  const facts: [string, ReactNode][] = [
    [t.fact_reference, model.reference],
    [t.fact_source, titleOf(stock, model.source)],
    [t.fact_runtimes, runtimes.map((name) => titleOf(stock, name)).join(", ")],
    [t.fact_place, model.runs_at ? shared.runs_at(model.runs_at) : t.here],
    [t.fact_size, model.size_bytes === null ? t.unknown : format.bytes(model.size_bytes)],
    [t.fact_quantization, model.quantization],
    [t.fact_context, model.context_length === null ? t.unknown : t.tokens(model.context_length, format.count(model.context_length))],
    [t.fact_license, <License key="license" model={model} />],
    [t.fact_path, model.path],
    [t.fact_digest, model.digest],
  ];
  return (
    <div className="space-y-5">
      {model.summary && <p className="leading-relaxed">{model.summary}</p>}
      <Capabilities model={model} />
      <dl className="grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[9rem_1fr]">
        {facts.filter(([, value]) => value).map(([fact, value]) => (
          <div key={fact} className="contents">
            <dt className="text-soft max-sm:pt-1">{fact}</dt>
            <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function License({ model: { license, terms_url } }: { model: Schemas["ModelDetails"] }) {
  const { t } = useArea(texts);
  if (!terms_url) return license ?? t.unknown;
  return <a href={terms_url} target="_blank" rel="noreferrer noopener" className="underline underline-offset-2">{license ?? t.terms}</a>;
}
