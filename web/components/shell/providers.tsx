"use client";

import { catalogue, refreshByHand } from "@/lib/catalogue";
import type { ErrorRecord } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useStore } from "@/lib/store";
import type { OverviewProvider, ProviderStatus } from "@/lib/api/types";
import { ChevronIcon } from "../ui/icons";
import { DocsLink, Fix } from "../ui/sentence";
import { StatusDot, type Tone } from "../ui/status-dot";

export const PROVIDER_TONES: Record<ProviderStatus, Tone> = {
  ready: "good",
  degraded: "busy",
  idle: "good",
  opening: "busy",
  unavailable: "off",
  failed: "bad",
  disabled: "off",
};

/** Each provider with its state; one that cannot serve says why and what to do. */
export function Providers() {
  const { t } = useText();
  const { overview, error } = useStore(catalogue);
  if (!overview) return null;
  if (error) return <Lost error={error} />;
  return (
    <section aria-label={t.providers}>
      <h2 className="px-2 pb-1 text-xs font-medium text-soft">{t.providers}</h2>
      {overview.providers.length === 0 && <p className="px-2 text-sm text-soft">{t.provider_none}</p>}
      <ul>
        {overview.providers.map((provider) => (
          <li key={provider.name}>
            <Provider provider={provider} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The page is there, the server no longer: nothing known about providers holds. */
function Lost({ error }: { error: ErrorRecord }) {
  const { t } = useText();
  const gone = error.code === "client_unreachable";
  return (
    <section aria-label={t.providers} role="status" className="space-y-2 px-2 text-sm">
      <p className="flex items-center gap-2.5">
        <StatusDot tone="bad" /> {gone ? t.client_unreachable : error.message}
      </p>
      <button type="button" className="button" onClick={() => void refreshByHand()}>{t.retry}</button>
    </section>
  );
}

function Provider({ provider }: { provider: OverviewProvider }) {
  const { t } = useText();
  const { reason } = provider;
  const line = (
    <>
      <StatusDot tone={PROVIDER_TONES[provider.status]} />
      <span className="min-w-0 flex-1 truncate">{provider.title}</span>
      <span className="text-xs text-soft">{t[`status_${provider.status}`]}</span>
    </>
  );
  const row = "flex items-center gap-2.5 rounded-lg px-2 py-1 text-sm";
  if (!reason) return <div className={row}>{line}</div>;
  return (
    <details className="group/provider">
      <summary className={`${row} list-none hover:bg-hover [&::-webkit-details-marker]:hidden`}>
        {line}
        <ChevronIcon className="size-3.5 text-soft transition-transform group-open/provider:rotate-180" />
      </summary>
      <div className="space-y-1.5 px-2 pt-1 pb-2 text-xs leading-relaxed">
        <p>{reason.message}</p>
        {reason.fix && <div className="text-soft"><Fix fix={reason.fix} /></div>}
        <p className="flex flex-wrap gap-x-3 text-[0.6875rem] text-soft">
          <span className="font-mono">{reason.code}</span> <DocsLink docs={reason.docs} code={reason.code} />
        </p>
      </div>
    </details>
  );
}
