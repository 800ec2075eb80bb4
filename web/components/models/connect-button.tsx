"use client";

import Link from "next/link";
import { useState } from "react";
import { useText } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import { DownloadIcon, PlugIcon } from "../ui/icons";

export const connectPart = lazyPart(() => import("./connect"));

/** Always there, whatever is installed. */
export function GetModelLink() {
  const { t } = useText();
  return (
    <Link href="/models#get" prefetch={false} className="button" aria-label={t.get_model}>
      <DownloadIcon /> <span className="max-lg:hidden">{t.get_model}</span>
    </Link>
  );
}

export function ConnectButton({ model }: { model: string | null }) {
  const { t } = useText();
  const [open, setOpen] = useState(false);
  const part = connectPart.use();
  return (
    <>
      <button
        type="button"
        className="button"
        aria-haspopup="dialog"
        aria-label={t.connect}
        onClick={() => {
          setOpen(true);
          void connectPart.load();
        }}
      >
        <PlugIcon /> <span className="max-sm:hidden">{t.connect}</span>
      </button>
      {open && part && <part.Connect model={model} onClose={() => setOpen(false)} />}
    </>
  );
}
