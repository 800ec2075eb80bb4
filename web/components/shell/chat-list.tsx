"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type MouseEvent } from "react";
import { chatHref, isChatPath } from "@/lib/address";
import { chat, openChat } from "@/lib/chat";
import { chats, moreChats, renameChat, type ChatEntry } from "@/lib/chats";
import { useText } from "@/lib/i18n";
import { lazyPart, whenIdle } from "@/lib/lazy";
import { removal } from "@/lib/removed";
import { search } from "@/lib/searched";
import { useStore } from "@/lib/store";
import { untaken } from "@/lib/untaken";
import { MoreIcon, PencilIcon, PinIcon, SearchIcon, TrashIcon } from "../ui/icons";
import { drawer } from "./drawer";

/** A click that stays on this page needs no navigation; one with a modifier opens a tab, as links do. */
export function stayHere(event: MouseEvent<HTMLAnchorElement>, path: string | null): boolean {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  if (isChatPath(path)) event.preventDefault();
  return true;
}

/** What was deleted, or refused. */
const notesPart = lazyPart(() => import("./chat-notes"));
const searchPart = lazyPart(() => import("./chat-search"));
const menuPart = lazyPart(() => import("./chat-menu"));
const importPart = lazyPart(() => import("./chat-import"));
const remove = (id: string) => void import("@/lib/removal").then((found) => found.removeChat(id));

export function ChatList() {
  const { t } = useText();
  const { entries, more, heard, error } = useStore(chats);
  const list = useRef<HTMLUListElement>(null);
  const notes = notesPart.use();
  const removed = useStore(removal);
  const old = useStore(untaken);
  const noted = removed !== null || old.error !== null || error !== null;
  useEffect(() => {
    if (noted) void notesPart.load();
  }, [noted]);
  const imports = importPart.use();
  useEffect(() => whenIdle(() => void importPart.load()), []);
  const searched = useStore(search);
  const note = searchPart.use();
  const shown = searched.query === "" ? entries : (searched.found ?? []);
  return (
    <>
      {(entries.length > 0 || searched.query !== "") && <SearchField />}
      {searched.query !== "" && note && <note.SearchNote {...searched} />}
      {notes && <notes.ChatNotes list={list} />}
      {heard && entries.length === 0 && searched.query === "" && <p className="px-2 py-1 text-sm leading-relaxed text-soft">{t.no_chats}</p>}
      <ul ref={list} className="space-y-0.5">
        {shown.map((entry) => (
          <ChatItem key={entry.id} entry={entry} />
        ))}
      </ul>
      {more && searched.query === "" && (
        <button type="button" className="button-quiet mt-1" onClick={() => void moreChats()}>
          {t.more_chats}
        </button>
      )}
      {imports && <imports.ChatImport />}
    </>
  );
}

/** Looks in titles and in what was said, as it is typed. */
function SearchField() {
  const { t } = useText();
  const look = (text: string) => {
    void searchPart.load();
    void import("@/lib/search").then((found) => found.searchFor(text));
  };
  return (
    <div className="relative mb-2">
      <SearchIcon className="pointer-events-none absolute top-2 left-2.5 size-4 text-soft" />
      <input
        type="search" className="field w-full py-1 pl-8 text-sm" aria-label={t.search_chats} placeholder={t.search_chats}
        autoComplete="off" defaultValue={search.get().query} maxLength={200}
        onInput={(event) => look(event.currentTarget.value)}
      />
    </div>
  );
}

/** What is seldom done with a conversation, behind one button. */
function More({ entry, title, className }: { entry: ChatEntry; title: string; className: string }) {
  const { t } = useText();
  const [wanted, setWanted] = useState(false);
  const part = menuPart.use();
  const label = t.more_of_chat(title);
  if (wanted && part) return <part.ChatMenu entry={entry} label={label} className={className} />;
  const open = () => {
    setWanted(true);
    void menuPart.load();
  };
  return <button type="button" className={className} aria-haspopup="menu" aria-label={label} title={label} onClick={open}><MoreIcon /></button>;
}

function ChatItem({ entry }: { entry: ChatEntry }) {
  const { t } = useText();
  const path = usePathname();
  const current = useStore(chat).id === entry.id && isChatPath(path);
  const [renaming, setRenaming] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const title = entry.title || t.untitled;
  const done = () => {
    setRenaming(false);
    // The field is gone by then, and the focus with it.
    setTimeout(() => pencil.current?.focus());
  };
  if (renaming) return <li><TitleField entry={entry} onDone={done} /></li>;
  const tool = "flex items-center rounded-md p-1.5 text-soft hover:text-ink md:opacity-0 md:group-hover:opacity-100 md:focus-visible:opacity-100 md:data-popup-open:opacity-100";
  return (
    <li className="group relative flex items-center">
      <Link
        href={chatHref(entry.id)} prefetch={false}
        title={title}
        data-chat={entry.id}
        aria-current={current ? "page" : undefined}
        className="min-w-0 flex-1 truncate rounded-lg py-1.5 pr-22 pl-2 md:pr-2 md:group-focus-within:pr-22 md:group-hover:pr-22 md:group-has-data-popup-open:pr-22 text-sm text-soft hover:bg-hover hover:text-ink aria-[current]:bg-hover aria-[current]:font-medium aria-[current]:text-ink"
        onClick={(event) => {
          if (!stayHere(event, path)) return;
          openChat(entry.id);
          drawer.set(false);
        }}
      >
        {entry.pinned && <PinIcon className="mr-1.5 inline size-3.5" />}
        {entry.pinned && <span className="sr-only">{t.pinned_chat} </span>}
        {title}
        {entry.local && <span className="pl-1.5 text-xs text-warn">{t.local_chat}</span>}
      </Link>
      <span className="absolute right-1 flex">
        {!entry.local && (
          <More entry={entry} title={title} className={tool} />
        )}
        {!entry.local && (
          <button ref={pencil} type="button" className={tool} aria-label={t.rename_chat(title)} title={t.rename_chat(title)} onClick={() => setRenaming(true)}>
            <PencilIcon />
          </button>
        )}
        <button type="button" className={tool} aria-label={t.delete_chat(title)} title={t.delete_chat(title)} onClick={() => remove(entry.id)}>
          <TrashIcon />
        </button>
      </span>
    </li>
  );
}

const MAX_TITLE = 200;

/** Enter renames, Esc leaves the title as it was. */
function TitleField({ entry, onDone }: { entry: ChatEntry; onDone: () => void }) {
  const { t } = useText();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void renameChat(entry.id, field.current?.value.trim() ?? "");
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    onDone();
  };
  return (
    <form onSubmit={submit}>
      <input ref={field} defaultValue={entry.title} maxLength={MAX_TITLE} aria-label={t.new_title} className="field py-1 text-sm" autoComplete="off" onKeyDown={onKeyDown} />
    </form>
  );
}
