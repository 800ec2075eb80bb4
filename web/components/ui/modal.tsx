"use client";

import { useLayoutEffect, useRef, type ReactNode } from "react";
import { useText } from "@/lib/i18n";
import { CloseIcon } from "./icons";

interface Props {
  title: string;
  onClose: () => void;
  /** Without heading and margins: the content brings its own. */
  bare?: boolean;
  children: ReactNode;
}

/** The browser's own dialog: it holds the focus, gives it back and closes on Esc. */
export function Modal({ title, onClose, bare = false, children }: Props) {
  const { t } = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  // A layout effect: its clean-up runs while the dialog is still there to give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // showModal() takes the first button; the field that is asked for comes before it.
    element?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      className="m-auto max-h-[min(46rem,calc(100dvh-2rem))] w-[min(40rem,calc(100vw-2rem))] overflow-y-auto rounded-2xl border border-line bg-page text-ink shadow-2xl"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {bare ? children : (
        <div className="p-5 sm:p-7">
          <div className="mb-4 flex items-start justify-between gap-4">
            <h2 className="text-lg font-semibold tracking-tight">{title}</h2>
            <button type="button" className="button-icon -mt-1.5 -mr-2" aria-label={t.close} onClick={onClose}>
              <CloseIcon className="size-5" />
            </button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}
