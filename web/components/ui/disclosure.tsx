"use client";

import { useId, useState, type ReactNode } from "react";
import { ChevronIcon } from "./icons";

interface Props {
  title: string;
  /** What is opened, for those who hear of it alone. */
  label?: string;
  children: ReactNode;
}

/** A part that is there once it is opened: what it asks the server for is asked then. */
export function Disclosure({ title, label, children }: Props) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <div>
      <button
        type="button" aria-expanded={open} aria-controls={open ? id : undefined} aria-label={label}
        className="button-quiet -ml-2" onClick={() => setOpen(!open)}
      >
        <ChevronIcon className={`size-4 transition-transform ${open ? "" : "-rotate-90"}`} /> {title}
      </button>
      {open && <div id={id} className="pt-3">{children}</div>}
    </div>
  );
}
