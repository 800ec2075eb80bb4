"use client";

import type { Reason } from "@/lib/api/types";
import { useText } from "@/lib/i18n";
import type { ReactNode } from "react";
import { DocsLink, Fix } from "../ui/sentence";

/** Why something is not as wished; `children` are buttons, which stand where the fix's command would. */
export function ReasonNote({ reason, children }: { reason: Reason; children?: ReactNode }) {
  const { t } = useText();
  return (
    <div className="space-y-2 rounded-lg bg-sunken/60 px-3.5 py-3 text-sm">
      <p className="[overflow-wrap:anywhere]">{reason.message}</p>
      {children
        ? <div className="flex flex-wrap gap-2">{children}</div>
        : reason.fix && (
          <div className="space-y-1">
            <p className="text-xs font-medium text-soft">{t.fix}</p>
            <Fix fix={reason.fix} />
          </div>
        )}
      <p className="flex flex-wrap gap-x-3 text-xs text-soft">
        <span className="font-mono">{reason.code}</span> <DocsLink docs={reason.docs} code={reason.code} />
      </p>
    </div>
  );
}
