"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useState } from "react";
import { catalogue } from "@/lib/catalogue";
import { chatHref } from "@/lib/address";
import { chat, newChat } from "@/lib/chat";
import { useText } from "@/lib/i18n";
import { useStore } from "@/lib/store";
import { untaken } from "@/lib/untaken";
import { keysPart } from "../palette/keys-part";
import { Sentence } from "../ui/sentence";
import { LogoIcon, PlusIcon } from "../ui/icons";
import { ChatList, stayHere } from "./chat-list";
import { drawer } from "./drawer";
import { PageLinks } from "./page-links";
import { Preferences } from "./preferences";
import { Providers } from "./providers";

export function Sidebar() {
  const { t } = useText();
  const path = usePathname();
  const { overview } = useStore(catalogue);
  const { id, messages } = useStore(chat);
  const keys = keysPart.use();
  return (
    <div className="flex h-full flex-col">
      <div className="space-y-4 px-3 pt-4 pb-3">
        <div className="flex items-center justify-between">
          <Link href={chatHref(messages.length > 0 ? id : null)} prefetch={false} className="flex w-fit items-center gap-2.5 rounded-lg px-2 text-[1.0625rem] font-semibold tracking-tight">
            <LogoIcon /> Venom
          </Link>
          {keys && <keys.FindButton />}
        </div>
        <Link
          href="/" prefetch={false}
          className="button w-full"
          onClick={(event) => {
            if (!stayHere(event, path)) return;
            newChat();
            drawer.set(false);
          }}
        >
          <PlusIcon /> {t.new_chat}
        </Link>
      </div>
      <nav aria-label={t.chats} className="min-h-0 flex-1 overflow-y-auto px-3 py-1">
        <ChatList />
      </nav>
      <div className="space-y-3 border-t border-line px-3 py-3">
        <Providers />
        <PageLinks path={path} />
        <Preferences />
        {overview && overview.warnings.length > 0 && <Warnings sentences={overview.warnings} />}
        {overview?.key_required && <SignOut />}
        {overview && <p className="px-2 text-xs text-soft">{t.version(overview.version)}</p>}
      </div>
    </div>
  );
}

/** What is wrong with the files of the settings. */
function Warnings({ sentences }: { sentences: string[] }) {
  const { t } = useText();
  return (
    <section aria-label={t.settings_warnings} data-testid="settings-warnings" className="max-h-40 space-y-1.5 overflow-y-auto rounded-lg bg-sunken px-2 py-1.5 text-xs leading-relaxed">
      <p className="font-medium">{t.settings_warnings}</p>
      {sentences.map((sentence) => <p key={sentence} className="[overflow-wrap:anywhere]"><Sentence text={sentence} /></p>)}
    </section>
  );
}

/** Chats that are in this browser only would be gone with it: then it asks first. */
function SignOut() {
  const { t } = useText();
  const { count } = useStore(untaken);
  const [sure, setSure] = useState(false);
  const leave = () => {
    if (count > 0 && !sure) setSure(true);
    else void import("@/lib/signing-out").then((found) => found.signOut());
  };
  return (
    <button type="button" className="px-2 text-left text-sm text-soft hover:text-ink" onClick={leave} onBlur={() => setSure(false)}>
      {sure ? t.sign_out_untaken : t.sign_out}
    </button>
  );
}
