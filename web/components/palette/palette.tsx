"use client";

import { useId, useMemo, useState, type KeyboardEvent } from "react";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/palette";
import { ranked } from "@/lib/fuzzy";
import { CloseIcon } from "../ui/icons";
import { Modal } from "../ui/modal";
import { useEntries, type Entry } from "./entries";

export { KeysHelp } from "./keys-help";

const MOST_SHOWN = 60;
const GROUPS = ["actions", "pages", "chats", "models", "looks"] as const;

/** Everything that the page can show and do, by a few letters of its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const { t: shared } = useText();
  const { t } = useArea(texts);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const entries = useEntries(typed);
  const found = useMemo(() => ordered(ranked(typed, entries, (entry) => `${entry.text} ${entry.more ?? ""}`), typed), [typed, entries]);
  const id = useId();
  const active = Math.min(at, found.length - 1);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    // The focus is given back first: what is done may want it elsewhere.
    setTimeout(entry.run);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      const next = Math.abs(step) === 1 ? (active + step + found.length) % found.length : Math.max(0, Math.min(found.length - 1, active + step));
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      run(found[active]);
    }
  };
  return (
    <Modal title={t.title} onClose={onClose} bare>
      <div className="flex items-center gap-2 border-b border-line p-2.5">
        <input
          data-first role="combobox" aria-label={t.title} aria-expanded="true" aria-controls={`${id}-list`} aria-autocomplete="list"
          aria-activedescendant={found.length > 0 ? `${id}-${active}` : undefined} autoComplete="off" spellCheck={false}
          placeholder={t.placeholder} className="min-w-0 flex-1 rounded-lg bg-transparent px-2 py-1.5 text-base outline-none placeholder:text-soft"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <button type="button" className="button-icon" aria-label={shared.close} onClick={onClose}><CloseIcon /></button>
      </div>
      <p role="status" className="sr-only">{found.length > 0 ? t.results(found.length) : t.nothing}</p>
      {found.length === 0 && <p className="px-5 py-6 text-sm text-soft">{t.nothing}</p>}
      <ul id={`${id}-list`} role="listbox" aria-label={t.title} className="max-h-[min(26rem,60dvh)] overflow-y-auto p-1.5 empty:p-0">
        {found.map((entry, place) => (
          <Item key={entry.key} id={`${id}-${place}`} entry={entry} heading={entry.group !== found[place - 1]?.group} active={place === active} onPoint={() => setAt(place)} onRun={() => run(entry)} />
        ))}
      </ul>
      <p className="border-t border-line px-4 py-2 text-xs text-soft max-sm:hidden">{t.hint}</p>
    </Modal>
  );
}

/** Together by group; with something typed, the group of the best find comes first. */
function ordered(found: Entry[], typed: string): Entry[] {
  const groups = typed.trim() === "" ? [...GROUPS] : [...new Set(found.map((entry) => entry.group))];
  return groups.flatMap((group) => found.filter((entry) => entry.group === group)).slice(0, MOST_SHOWN);
}

interface ItemProps {
  id: string;
  entry: Entry;
  /** It is the first of its group. */
  heading: boolean;
  active: boolean;
  onPoint: () => void;
  onRun: () => void;
}

function Item({ id, entry, heading, active, onPoint, onRun }: ItemProps) {
  const { t } = useArea(texts);
  return (
    <>
      {heading && <li role="presentation" className="px-2.5 pt-2 pb-1 text-xs font-medium text-soft">{t[`group_${entry.group}`]}</li>}
      <li
        id={id} role="option" aria-selected={active}
        className={`flex cursor-pointer items-baseline justify-between gap-3 rounded-lg px-2.5 py-2 text-sm ${active ? "bg-hover" : ""}`}
        onPointerMove={onPoint} onClick={onRun}
      >
        <span className="min-w-0 truncate">{entry.text}</span>
        {entry.more && <span className="shrink-0 text-xs text-soft">{entry.more}</span>}
      </li>
    </>
  );
}
