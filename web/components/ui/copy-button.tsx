"use client";

import { useEffect, useState } from "react";
import { useText } from "@/lib/i18n";
import { CheckIcon, CopyIcon } from "./icons";

/** The clipboard API exists on loopback and https only; elsewhere the old command still works. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "fixed opacity-0";
    const host = document.activeElement?.closest("dialog") ?? document.body;
    host.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

interface Props {
  text: string;
  /** What is copied, for those who do not see it. */
  label: string;
  /** Show the word beside the icon. */
  wordy?: boolean;
  className?: string;
}

export function CopyButton({ text, label, wordy = false, className = "" }: Props) {
  const { t } = useText();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1800);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className={`button-quiet ${className}`}
      aria-label={copied ? t.copied : label}
      title={copied ? t.copied : label}
      onClick={() => void copyText(text).then(setCopied)}
    >
      {copied ? <CheckIcon className="size-4 text-accent" /> : <CopyIcon />}
      {wordy && <span>{copied ? t.copied : t.copy}</span>}
    </button>
  );
}
