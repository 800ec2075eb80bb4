"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { makeDates } from "@/lib/dates";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { outdated } from "@/lib/queries";
import { namesOf } from "@/lib/user-agent";
import { signOut } from "@/lib/signing-out";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { Section } from "../ui/section";
import { SureButton } from "../ui/sure-button";
import type { KeyView } from "./keys-page";

type SignInView = Schemas["SignInView"];
const STEP = 20;
const MOST = 200;

/** The browsers that are signed in, each with a way to sign it out. */
export function SignIns({ keys }: { keys: readonly KeyView[] }) {
  const { t } = useArea(texts);
  const [limit, setLimit] = useState(STEP);
  const query = useQuery(asking("/api/v1/signins", { query: { limit } }));
  const end = useMutation({
    mutationFn: async (one: SignInView) => {
      if (one.here) return signOut();
      await api.DELETE("/api/v1/signins/{signin_id}", { params: { path: { signin_id: one.id } } });
    },
    onSettled: () => outdated("/api/v1/signins", "/api/v1/audit"),
  });
  return (
    <Section title={t.signins} intro={t.signins_text}>
      <p role="status" className="text-sm text-soft empty:hidden">{end.isSuccess ? t.ended : ""}</p>
      {end.error && <ErrorNote error={recordOf(end.error)} />}
      <Answer query={query} isEmpty={(answer) => answer.signins.length === 0} empty={t.no_signins}>
        {(answer) => (
          <>
            <ul className="card divide-y divide-line">
              {answer.signins.map((one) => (
                <Browser key={one.id} of={one} owner={keys.find((key) => key.id === one.key_id)?.name ?? one.key_id} busy={end.isPending} onEnd={() => end.mutate(one)} />
              ))}
            </ul>
            {answer.count > answer.signins.length && limit < MOST && (
              <button type="button" className="button-quiet" onClick={() => setLimit(Math.min(limit + 60, MOST))}>{t.more}</button>
            )}
          </>
        )}
      </Answer>
    </Section>
  );
}

function Browser({ of: one, owner, busy, onEnd }: { of: SignInView; owner: string; busy: boolean; onEnd: () => void }) {
  const { t, lang } = useArea(texts);
  const dates = useMemo(() => makeDates(lang), [lang]);
  const { browser, system } = namesOf(one.browser);
  const known = browser ?? (one.browser.slice(0, 60) || t.unknown_browser);
  const shown = system ? t.on_system(known, system) : known;
  return (
    <li className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 p-4 text-sm">
      <div className="min-w-0 flex-1 basis-64 space-y-1">
        <p className="flex flex-wrap items-center gap-x-2" title={one.browser}>
          <span className="font-medium [overflow-wrap:anywhere]">{shown}</span>
          {one.here && <span className="rounded bg-accent-wash px-1.5 text-xs text-accent">{t.this_browser}</span>}
        </p>
        <p className="text-xs text-soft">
          {[t.with_key(owner), t.since(dates.moment(one.began_at)), t.seen(dates.moment(one.last_seen_at)), t.until(dates.moment(one.expires_at))].join(" · ")}
        </p>
      </div>
      <SureButton label={t.end_of(shown)} word={t.end} sure={t.end_sure} disabled={busy} onSure={onEnd} />
    </li>
  );
}
