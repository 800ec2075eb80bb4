"use client";

import { Tabs } from "@base-ui/react/tabs";
import { catalogue } from "@/lib/catalogue";
import { useText, type Dictionary } from "@/lib/i18n";
import { snippets, type Snippet } from "@/lib/snippets";
import { useStore } from "@/lib/store";
import { CopyButton } from "../ui/copy-button";
import { Modal } from "../ui/modal";
import { Sentence } from "../ui/sentence";

/** What another program needs to use this server, as values and as lines to paste. */
export function Connect({ model, onClose }: { model: string | null; onClose: () => void }) {
  const { t } = useText();
  const keyRequired = useStore(catalogue).overview?.key_required ?? false;
  const baseUrl = `${window.location.origin}/v1`;
  const made = snippets({ baseUrl, model: model ?? "MODEL", keyRequired });
  return (
    <Modal title={t.connect} onClose={onClose}>
      <div className="space-y-6">
        <p className="-mt-2 text-sm leading-relaxed text-soft">{t.connect_text}</p>
        <dl className="space-y-3 text-sm">
          <Value name={t.connect_base_url} value={baseUrl} />
          <Value name={t.connect_model} value={model} missing={t.no_model} />
          <div className="grid gap-1 sm:grid-cols-[8.5rem_1fr] sm:gap-3">
            <dt className="pt-1.5 text-soft">{t.connect_key}</dt>
            <dd className="space-y-1.5">
              <code className="block w-fit rounded-lg bg-sunken px-3 py-1.5 font-mono text-[0.8125rem]">{keyRequired ? "YOUR_KEY" : "unused"}</code>
              <p className="text-[0.8125rem] leading-relaxed text-soft">
                <Sentence text={keyRequired ? t.connect_key_needed : t.connect_key_none} />
              </p>
            </dd>
          </div>
        </dl>
        <section aria-label={t.connect_lines} className="space-y-2">
          <h3 className="text-sm font-medium">{t.connect_lines}</h3>
          <Tabs.Root defaultValue="python">
            <Tabs.List className="flex gap-1 overflow-x-auto border-b border-line">
              {made.map(({ id, title }) => (
                <Tabs.Tab key={id} value={id} className="-mb-px shrink-0 border-b-2 border-transparent px-2.5 py-2 text-sm text-soft -outline-offset-2 hover:text-ink data-active:border-accent data-active:font-medium data-active:text-ink">
                  {title}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {made.map((snippet) => (
              <Tabs.Panel key={snippet.id} value={snippet.id} className="pt-3">
                <Lines snippet={snippet} />
              </Tabs.Panel>
            ))}
          </Tabs.Root>
        </section>
      </div>
    </Modal>
  );
}

function Value({ name, value, missing }: { name: string; value: string | null; missing?: string }) {
  const { t } = useText();
  return (
    <div className="grid items-center gap-1 sm:grid-cols-[8.5rem_1fr] sm:gap-3">
      <dt className="text-soft">{name}</dt>
      <dd className="flex min-w-0 items-center justify-between gap-2 rounded-lg bg-sunken py-0.5 pr-1 pl-3">
        <code className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{value ?? missing}</code>
        {value && <CopyButton text={value} label={t.copy_of(name)} />}
      </dd>
    </div>
  );
}

function noteFor(id: Snippet["id"], t: Dictionary): string | null {
  if (id === "openwebui") return t.connect_openwebui_note;
  return id === "continue" ? t.connect_continue_note : null;
}

function Lines({ snippet }: { snippet: Snippet }) {
  const { t } = useText();
  const note = noteFor(snippet.id, t);
  return (
    <div className="space-y-2">
      <div className="relative rounded-xl border border-line bg-raised">
        <pre tabIndex={0} role="region" aria-label={snippet.title} className="overflow-x-auto p-4 pr-12 font-mono text-[0.8125rem] leading-relaxed">
          <code>{snippet.lines}</code>
        </pre>
        <CopyButton text={snippet.lines} label={t.copy_of(snippet.title)} className="absolute top-2 right-2 bg-raised" />
      </div>
      {note && <p className="text-[0.8125rem] leading-relaxed text-soft">{note}</p>}
    </div>
  );
}
