"use client";

import Link from "next/link";
import { useText } from "@/lib/i18n";
import { MenuButton } from "./shell";

export function Missing() {
  const { t } = useText();
  return (
    <main id="content" tabIndex={-1} className="flex flex-1 flex-col p-3">
      <MenuButton />
      <div className="m-auto space-y-4 text-center">
        <h1 className="text-xl font-semibold tracking-tight">{t.page_missing}</h1>
        <Link href="/" prefetch={false} className="button">{t.back_to_chat}</Link>
      </div>
    </main>
  );
}
