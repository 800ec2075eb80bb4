"use client";

import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { chooseModel, canChat, findModel, type Catalogue } from "@/lib/catalogue";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/composer";
import { takeFiles, type Taken } from "@/lib/intake";
import { attachments } from "@/lib/options";
import { useStore } from "@/lib/store";
import { typed } from "@/lib/typed";
import { CloseIcon, FileIcon, PaperclipIcon } from "../ui/icons";

interface Props {
  /** Of the message: pasted files are taken from it, and the focus goes back to it. */
  area: RefObject<HTMLTextAreaElement | null>;
  stock: Catalogue;
  model: string | null;
}

/** Whether a model takes images; null where nobody knows. */
const seesImages = (capabilities: string[] | null | undefined): boolean | null =>
  capabilities ? capabilities.includes("vision") : null;

/** Files of the question: picked, pasted or dropped, shown above the words, removed again. */
export function Attached({ area, stock, model }: Props) {
  const { t } = useArea(texts);
  const held = useStore(attachments);
  const [refused, setRefused] = useState<Taken[]>([]);
  const [said, say] = useState("");
  const sees = seesImages(findModel(stock.models, model)?.capabilities);

  const take = useCallback(
    async (files: readonly File[]) => {
      if (files.length === 0) return;
      say(t.reading);
      const taken = await takeFiles(files, attachments.get().length, sees);
      const good = taken.flatMap((one) => one.attachment ?? []);
      attachments.set((old) => [...old, ...good]);
      setRefused(taken.filter((one) => one.refused !== null));
      say(good.length > 0 ? t.added(good.length) : "");
      area.current?.focus({ preventScroll: true });
    },
    [area, sees, t],
  );
  usePaste(area, take);
  const dropping = useDrop(take);

  const remove = (at: number) => {
    say(t.removed(held[at]?.name ?? ""));
    attachments.set((old) => old.filter((_, place) => place !== at));
    area.current?.focus({ preventScroll: true });
  };
  return (
    <>
      {held.length > 0 && (
        <ul aria-label={t.attached} className="flex flex-wrap gap-2 px-1 pt-1 pb-2">
          {held.map((one, at) => (
            <li key={`${at} ${one.name}`} className="flex max-w-full items-center gap-2 rounded-xl border border-line bg-page py-1 pr-1 pl-1.5 text-sm">
              {one.kind === "image" ? (
                <img src={one.data} alt={t.image(one.name)} className="size-10 rounded-lg object-cover" />
              ) : (
                <FileIcon className="size-5 shrink-0 text-soft" />
              )}
              <span className="min-w-0 truncate">{one.name}</span>
              <button type="button" className="button-icon size-8" aria-label={t.remove(one.name)} title={t.remove(one.name)} onClick={() => remove(at)}>
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Notes refused={refused} onSeen={() => setRefused([])} stock={stock} model={model} sees={sees} />
      <p role="status" className="sr-only" data-testid="files-said">{said}</p>
      {dropping && (
        <div className="pointer-events-none fixed inset-0 z-50 flex items-center justify-center bg-overlay p-6">
          <p className="rounded-2xl border-2 border-dashed border-accent bg-page px-8 py-6 font-medium shadow-xl">{t.drop_here}</p>
        </div>
      )}
      <Pick onPick={take} />
    </>
  );
}

/** Why a file was left out, that the model is blind to those that were not, that words are missing. */
function Notes({ refused, onSeen, stock, model, sees }: { refused: Taken[]; onSeen: () => void; stock: Catalogue; model: string | null; sees: boolean | null }) {
  const { t } = useArea(texts);
  const held = useStore(attachments);
  const text = useStore(typed);
  const images = held.some((one) => one.kind === "image");
  const blind = sees === false && (images || refused.some((one) => one.refused === "no_vision"));
  const seeing = blind ? stock.models?.find((one) => canChat(one) && one.locality === "local" && seesImages(one.capabilities)) : undefined;
  const wordless = images && text.trim() === "" && !held.some((one) => one.kind === "file");
  if (refused.length === 0 && !blind && !wordless) return null;
  return (
    <div role="status" data-testid="file-notes" className="space-y-1.5 px-2 pt-1 pb-2 text-sm">
      {refused.map((one) => one.refused && <p key={one.name} className="text-warn [overflow-wrap:anywhere]">{t[`refused_${one.refused}`](one.name)}</p>)}
      {blind && images && <p className="text-warn">{t.no_vision(model ?? "")}</p>}
      {blind && !seeing && <p className="text-soft">{t.no_vision_none}</p>}
      {wordless && !blind && refused.length === 0 && <p className="text-soft">{t.words_needed}</p>}
      {(refused.length > 0 || blind) && (
        <div className="flex flex-wrap gap-2">
          {seeing && <button type="button" className="button" onClick={() => chooseModel(seeing.id)}>{t.use_model(seeing.id)}</button>}
          {blind && images && (
            <button type="button" className="button" onClick={() => attachments.set((old) => old.filter((one) => one.kind !== "image"))}>{t.remove_images}</button>
          )}
          {refused.length > 0 && <button type="button" className="button-quiet" onClick={onSeen}>{t.dismiss}</button>}
        </div>
      )}
    </div>
  );
}

const PICK_ID = "pick-files";

function Pick({ onPick }: { onPick: (files: readonly File[]) => void }) {
  const { t } = useArea(texts);
  return (
    <input
      id={PICK_ID} type="file" multiple hidden aria-label={t.attach}
      onChange={(event) => {
        onPick([...(event.target.files ?? [])]);
        event.target.value = "";
      }}
    />
  );
}

/** Opens the browser's own choice of files. */
export function AttachButton() {
  const { t } = useArea(texts);
  return (
    <button type="button" className="button-icon rounded-xl" aria-label={t.attach} title={t.attach} onClick={() => document.getElementById(PICK_ID)?.click()}>
      <PaperclipIcon className="size-5" />
    </button>
  );
}

function usePaste(area: RefObject<HTMLTextAreaElement | null>, take: (files: readonly File[]) => unknown): void {
  useEffect(() => {
    const element = area.current;
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      // Programs that copy text often add a picture of it: then the text is meant.
      if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
      event.preventDefault();
      take(files);
    };
    element?.addEventListener("paste", onPaste);
    return () => element?.removeEventListener("paste", onPaste);
  }, [area, take]);
}

/** Files may be dropped anywhere on the page; true while some are held over it. */
function useDrop(take: (files: readonly File[]) => unknown): boolean {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const move = (by: number) => {
      depth.current = Math.max(0, depth.current + by);
      setOver(depth.current > 0);
    };
    window.addEventListener("dragenter", (event) => hasFiles(event) && move(1), { signal });
    window.addEventListener("dragleave", (event) => hasFiles(event) && move(-1), { signal });
    window.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
    window.addEventListener(
      "drop",
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        move(-depth.current);
        take([...(event.dataTransfer?.files ?? [])]);
      },
      { signal },
    );
    return () => ended.abort();
  }, [take]);
  return over;
}
