"use client";

import type { ReactNode } from "react";
import { CLIENT_CODES, type ClientCode, type ErrorRecord } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { AlertIcon } from "./icons";
import { DocsLink, Fix, Sentence } from "./sentence";

function isClientCode(code: string): code is ClientCode {
  return (CLIENT_CODES as readonly string[]).includes(code);
}

/** A refusal as every surface of Venom shows it: what happened, its code, what to do. */
export function ErrorNote({ error, children }: { error: ErrorRecord; children?: ReactNode }) {
  const { t } = useText();
  const ours = isClientCode(error.code) ? error.code : null;
  const lang = ours ? undefined : (error.lang ?? "en");
  const fix = ours ? t[`${ours}_fix`] : error.fix;
  return (
    <div role="group" aria-label={error.code} data-testid="error" className="rounded-xl border border-danger-line bg-danger-wash p-4 text-sm">
      <div className="flex gap-3">
        <AlertIcon className="mt-0.5 size-4.5 shrink-0 text-danger" />
        <div className="min-w-0 flex-1 space-y-2.5">
          <p className="font-medium [overflow-wrap:anywhere]" lang={lang}>
            {ours ? t[ours] : error.message}
          </p>
          {fix && (
            <div className="space-y-1">
              <p className="text-xs font-medium text-soft">{t.fix}</p>
              <div>{ours ? <Sentence text={fix} /> : <Fix fix={fix} lang={lang} />}</div>
            </div>
          )}
          {!ours && (
            <p className="flex flex-wrap gap-x-3 text-xs text-soft">
              <span className="font-mono">{error.code}</span> <DocsLink docs={error.docs} code={error.code} />
            </p>
          )}
          {children && <div className="flex flex-wrap gap-2 pt-0.5">{children}</div>}
        </div>
      </div>
    </div>
  );
}
