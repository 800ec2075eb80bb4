"use client";

import { Tabs } from "@base-ui/react/tabs";
import { useState } from "react";
import { canChat, catalogue, findModel } from "@/lib/catalogue";
import type { ModelRecord } from "@/lib/api/types";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/connect";
import { ALWAYS_SENDS_TOOLS, NO_KEY_YET, snippets, type Snippet, type Tool } from "@/lib/snippets";
import { useStore } from "@/lib/store";
import { Choice } from "../ui/choice";
import { CopyButton } from "../ui/copy-button";
import { Modal } from "../ui/modal";
import { TabNames } from "../ui/tab-names";
import { ToolKey } from "./tool-key";

/** Whether a model calls tools: as a self-test saw it, else as it is declared; null where nobody knows. */
function callsTools(model: ModelRecord | undefined): boolean | null {
  if (!model?.capabilities) return null;
  return model.capabilities.includes("tools") && model.capability_states?.tools !== "failed";
}

/** What another program needs to use this server: values, a key of its own, lines to paste. */
export function Connect({ model, onClose }: { model: string | null; onClose: () => void }) {
  const { t: shared } = useText();
  const { t } = useArea(texts);
  const { overview, models } = useStore(catalogue);
  const [chosen, setChosen] = useState(model);
  const [key, setKey] = useState<string | null>(null);
  const able = models?.filter(canChat) ?? [];
  const record = findModel(models, chosen);
  const tools = callsTools(record);
  const baseUrl = `${window.location.origin}/v1`;
  const made = snippets({
    baseUrl, model: record?.id ?? chosen ?? "MODEL", tools, key: key ?? (overview?.key_required ? NO_KEY_YET : null),
    images: record?.capabilities?.includes("vision") ?? false, contextLength: record?.context_length ?? null,
  });
  return (
    <Modal title={shared.connect} onClose={onClose}>
      <div className="space-y-6">
        <p className="-mt-2 text-sm leading-relaxed text-soft">{t.text}</p>
        <div className="space-y-3">
          <Value name={t.base_url} value={baseUrl} />
          {able.length > 0 && <Choice label={t.model} value={record?.id ?? ""} options={able.map(({ id }) => [id, id] as const)} onChoose={setChosen} />}
        </div>
        <ToolKey required={overview?.key_required ?? false} made={key} onMade={setKey} />
        <section aria-label={t.lines} className="space-y-2">
          <h3 className="text-sm font-medium">{t.lines}</h3>
          <Tabs.Root defaultValue="python">
            <TabNames names={Object.fromEntries(made.map(({ id, title }) => [id, title]))} />
            {made.map((snippet) => (
              <Tabs.Panel key={snippet.id} value={snippet.id} className="pt-3"><Lines snippet={snippet} unsure={tools === null} /></Tabs.Panel>
            ))}
          </Tabs.Root>
          {tools === false && <p className="text-[0.8125rem] leading-relaxed text-soft">{t.no_tools("Zed")}</p>}
        </section>
      </div>
    </Modal>
  );
}

function Value({ name, value }: { name: string; value: string }) {
  const { t } = useText();
  return (
    <div className="space-y-1">
      <p className="text-xs text-soft">{name}</p>
      <p className="flex min-w-0 items-center justify-between gap-2 rounded-lg bg-sunken py-0.5 pr-1 pl-3">
        <code className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{value}</code>
        <CopyButton text={value} label={t.copy_of(name)} />
      </p>
    </div>
  );
}

const NOTES: Partial<Record<Tool, "openwebui_note" | "continue_note" | "zed_note">> = { openwebui: "openwebui_note", continue: "continue_note", zed: "zed_note" };

function Lines({ snippet, unsure }: { snippet: Snippet; unsure: boolean }) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const note = NOTES[snippet.id];
  return (
    <div className="space-y-2">
      <div className="relative rounded-xl border border-line bg-raised">
        <pre tabIndex={0} role="region" aria-label={snippet.title} className="overflow-x-auto p-4 pr-12 font-mono text-[0.8125rem] leading-relaxed">
          <code>{snippet.lines}</code>
        </pre>
        <CopyButton text={snippet.lines} label={shared.copy_of(snippet.title)} className="absolute top-2 right-2 bg-raised" />
      </div>
      {note && <p className="text-[0.8125rem] leading-relaxed text-soft">{t[note]}</p>}
      {unsure && ALWAYS_SENDS_TOOLS.includes(snippet.id) && <p className="text-[0.8125rem] leading-relaxed text-soft">{t.tools_unknown}</p>}
    </div>
  );
}
