"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { catalogue } from "@/lib/catalogue";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { useStore } from "@/lib/store";
import { Answer } from "../ui/answer";
import { Modal } from "../ui/modal";
import { useEntryFacts } from "./entry-facts";
import { FitCheck } from "./fit-check";
import { GetButton } from "./get-button";
import { SourceTrouble } from "./source-trouble";

type Card = Schemas["CardView"];

/** A model before it is fetched: what it is, which of its files, whether it fits, and the way to get it. */
export function EntryDetails({ entry, onClose }: { entry: Schemas["EntryView"]; onClose: () => void }) {
  const { overview } = useStore(catalogue);
  const hasCard = overview?.providers.find(({ name }) => name === entry.provider)?.capabilities.includes("card") ?? false;
  return (
    <Modal title={entry.display_name} onClose={onClose}>
      <div className="space-y-6">
        <p className="-mt-2 text-sm leading-relaxed text-soft">{useEntryFacts(entry).join(" · ")}</p>
        {hasCard ? <WithCard entry={entry} /> : <GetIt reference={entry.reference} title={entry.display_name} />}
      </div>
    </Modal>
  );
}

function WithCard({ entry }: { entry: Schemas["EntryView"] }) {
  const query = useQuery(asking("/api/v1/models/{name}/card", { path: { name: entry.reference } }));
  return <Answer query={query}>{(card) => <Chosen card={card} entry={entry} />}</Answer>;
}

function Chosen({ card, entry }: { card: Card; entry: Schemas["EntryView"] }) {
  const { t, format } = useArea(texts);
  const [reference, setReference] = useState((card.choices.find((choice) => choice.chosen) ?? card.choices[0])?.reference ?? card.reference);
  const bytes = card.choices.find((choice) => choice.reference === reference)?.size_bytes ?? card.download_bytes;
  return (
    <div className="space-y-6">
      <SourceTrouble answer={card} />
      {card.terms_url && <Gated url={card.terms_url} />}
      {card.choices.length > 0 && (
        <fieldset className="space-y-2">
          <legend className="text-sm font-medium">{t.choose}</legend>
          <p className="text-sm text-soft">{t.choose_text}</p>
          <div className="grid gap-1.5 sm:grid-cols-2">
            {card.choices.map((choice) => (
              <label key={choice.reference} className="card flex cursor-pointer items-center gap-2.5 px-3 py-2 text-sm has-checked:border-accent has-checked:bg-accent-wash">
                <input type="radio" name="choice" className="accent-accent" checked={choice.reference === reference} onChange={() => setReference(choice.reference)} />
                <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">{choice.label}</span>
                {choice.size_bytes !== null && <span className="text-soft tabular-nums">{format.bytes(choice.size_bytes)}</span>}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      {bytes !== null && <p className="text-sm"><span className="text-soft">{t.size}:</span> {format.bytes(bytes)}</p>}
      <GetIt key={reference} reference={reference} title={entry.display_name} />
      {card.files.length > 0 && <Files files={card.files} />}
    </div>
  );
}

function GetIt({ reference, title }: { reference: string; title: string }) {
  const { t } = useArea(texts);
  return (
    <div className="space-y-6">
      <section aria-label={t.fit} className="space-y-3 rounded-xl bg-sunken/60 p-4">
        <FitCheck name={reference} />
      </section>
      <GetButton name={reference} title={title} />
    </div>
  );
}

function Gated({ url }: { url: string }) {
  const { t } = useArea(texts);
  return (
    <div role="note" className="card space-y-1.5 px-4 py-3 text-sm">
      <p className="font-medium text-warn">{t.gated}</p>
      <p className="text-soft">{t.gated_text}</p>
      <a href={url} target="_blank" rel="noreferrer noopener" className="underline underline-offset-2">{t.gated_at}</a>
    </div>
  );
}

function Files({ files }: { files: Card["files"] }) {
  const { t, format } = useArea(texts);
  return (
    <details className="text-sm">
      <summary className="w-fit text-soft">{t.files(files.length, format.count(files.length))}</summary>
      <div className="overflow-x-auto pt-2">
        <table className="w-full text-left">
          <thead>
            <tr className="border-b border-line text-soft">
              <th scope="col" className="py-1.5 pr-4 font-medium">{t.file_name}</th>
              <th scope="col" className="py-1.5 pr-4 text-right font-medium">{t.file_size}</th>
              <th scope="col" className="py-1.5 font-medium">{t.file_fetched}</th>
            </tr>
          </thead>
          <tbody>
            {files.map((file) => (
              <tr key={file.name} className="border-b border-line align-top">
                <td className="py-1.5 pr-4 [overflow-wrap:anywhere]">{file.name}{file.why_not && <span className="block text-xs text-soft">{file.why_not}</span>}</td>
                <td className="py-1.5 pr-4 text-right whitespace-nowrap tabular-nums">{file.size_bytes === null ? "" : format.bytes(file.size_bytes)}</td>
                <td className="py-1.5">{file.fetched ? t.yes : t.no}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
