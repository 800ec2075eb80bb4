"use client";

import { useCallback, useEffect, useRef, useSyncExternalStore, type ReactNode } from "react";
import { findModel, type Catalogue } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import { CloseIcon } from "../ui/icons";
import { Instructions } from "./instructions";
import { Output } from "./output";
import { Parameters } from "./parameters";
import { Tools } from "./tools";

interface Props {
  id: string;
  stock: Catalogue;
  model: string | null;
  onClose: () => void;
}

const WIDE = "(min-width: 64rem)";

function useWide(): boolean {
  const watch = useCallback((listener: () => void) => {
    const query = window.matchMedia(WIDE);
    query.addEventListener("change", listener);
    return () => query.removeEventListener("change", listener);
  }, []);
  return useSyncExternalStore(watch, () => window.matchMedia(WIDE).matches, () => true);
}

/** Beside the chat where there is room, over it where there is not. */
export function SettingsPanel(props: Props) {
  const { t } = useArea(texts);
  const wide = useWide();
  if (!wide) return <SideDialog title={t.title} onClose={props.onClose}><Body {...props} /></SideDialog>;
  return (
    <aside
      id={props.id}
      aria-label={t.title}
      className="h-full w-84 shrink-0 overflow-y-auto border-l border-line bg-side"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        props.onClose();
      }}
    >
      <Body {...props} />
    </aside>
  );
}

function SideDialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      className="m-0 ml-auto h-dvh max-h-none w-96 max-w-[92vw] overflow-y-auto border-l border-line bg-side text-ink"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {children}
    </dialog>
  );
}

function Body({ stock, model, onClose }: Props) {
  const { t: shared } = useText();
  const { t } = useArea(texts);
  const record = findModel(stock.models, model);
  return (
    <div className="space-y-7 px-4 pt-3 pb-10 text-sm">
      <div className="flex items-center justify-between gap-3">
        <h2 className="text-base font-semibold tracking-tight">{t.title}</h2>
        <button type="button" className="button-icon -mr-2" aria-label={shared.close} onClick={onClose}>
          <CloseIcon className="size-5" />
        </button>
      </div>
      {record ? (
        <>
          <Instructions model={record} />
          <Parameters key={record.reference} model={record} />
          <Output model={record} />
          <Tools model={record} />
        </>
      ) : (
        <p className="text-soft">{t.no_model}</p>
      )}
    </div>
  );
}
