"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { Answer } from "../ui/answer";
import { CommandLine } from "../ui/sentence";

/** What is not installed, each with the command that does it: a page installs no packages. */
export function Offers() {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/plugins/available"));
  return (
    <section aria-labelledby="more" className="space-y-3">
      <div>
        <h2 id="more" className="text-lg font-semibold tracking-tight">{t.more}</h2>
        <p className="text-sm text-soft">{t.more_text}</p>
      </div>
      <Answer query={query} isEmpty={(told) => told.plugins.length + told.environments.length === 0} empty={t.more_none}>
        {(told) => (
          <ul className="grid gap-3 sm:grid-cols-2">
            {told.plugins.map((one) => (
              <li key={one.id} className="card flex min-w-0 flex-col gap-2 p-4 text-sm">
                <h3 className="font-medium">{one.id}</h3>
                <p className="grow text-soft">{one.summary}</p>
                {one.obtainable ? <CommandLine command={one.command} /> : <p className="text-warn">{t.not_obtainable}</p>}
              </li>
            ))}
            {told.environments.map((one) => <li key={one.name} className="card min-w-0 space-y-2 p-4 text-sm"><Environment offer={one} /></li>)}
          </ul>
        )}
      </Answer>
    </section>
  );
}

function Environment({ offer }: { offer: Schemas["EnvironmentOffer"] }) {
  const { t, format } = useArea(texts);
  const size = offer.size_bytes ?? offer.disk_bytes;
  return (
    <>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-medium">{offer.title} <span className="font-mono text-xs text-soft">{offer.name}</span></h3>
        <p className="text-soft">{offer.state === "ready" ? t.installed(format.bytes(size)) : t[`env_${offer.state}`]}</p>
      </div>
      <p className="text-soft">{offer.summary}</p>
      {offer.command && <p className="text-xs text-soft">{t.to_fetch(format.bytes(offer.download_bytes), format.bytes(offer.disk_bytes))}</p>}
      {offer.reason ? <p className="text-warn">{t.more_useless} {offer.reason.message}</p> : offer.command && <CommandLine command={offer.command} />}
    </>
  );
}
