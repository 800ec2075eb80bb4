"use client";

import { useText } from "@/lib/i18n";
import { CopyButton } from "../ui/copy-button";

export function CodeBlock({ language, code }: { language: string; code: string }) {
  const { t } = useText();
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-raised">
      <div className="flex items-center justify-between border-b border-line bg-sunken/50 py-0.5 pr-1 pl-4 text-xs text-soft">
        <span>{language || t.code}</span>
        <CopyButton text={code} label={t.copy_code} />
      </div>
      {/* Long lines scroll, so the keyboard must be able to get there. */}
      <pre tabIndex={0} aria-label={language || t.code} role="region" className="overflow-x-auto px-4 py-3 font-mono text-[0.8125rem] leading-relaxed">
        <code>{code}</code>
      </pre>
    </div>
  );
}
