"use client";

import { useMutation, type UseQueryResult } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api } from "@/lib/api/client";
import type { JsonOf } from "@/lib/api/types";
import { makeDates } from "@/lib/dates";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { outdated } from "@/lib/queries";
import { signOut } from "@/lib/signing-out";
import { Answer } from "../ui/answer";
import { PlusIcon } from "../ui/icons";
import { Section } from "../ui/section";
import { StatusDot } from "../ui/status-dot";
import type { KeyView, SignInState } from "./keys-page";
import { NewKey } from "./new-key";
import { RevokeKey } from "./revoke-key";

interface Props {
  query: UseQueryResult<JsonOf<"/api/v1/keys">>;
  session: SignInState;
}

const isOver = (key: KeyView) => key.expires_at !== null && new Date(key.expires_at) <= new Date();

/** The keys: those that count, and on demand those that no longer do. */
export function KeyList({ query, session }: Props) {
  const { t } = useArea(texts);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<KeyView | null>(null);
  const [all, setAll] = useState(false);
  const [news, setNews] = useState("");
  const revoke = useMutation({
    mutationFn: (key: KeyView) => api.DELETE("/api/v1/keys/{key_id}", { params: { path: { key_id: key.id } } }),
    onSuccess: async (_, key) => {
      // Nothing that the key saw stays on the screen of who used it.
      if (key.id === session.key_id) return signOut();
      setRevoking(null);
      setNews(t.revoke_done(key.name));
      await outdated("/api/v1/keys", "/api/v1/signins", "/api/v1/audit", "/api/v1/session");
    },
  });
  const keys = query.data?.keys ?? [];
  const counting = keys.filter((key) => key.revoked_at === null);
  const gone = keys.length - counting.length;
  return (
    <Section
      title={t.keys} intro={t.keys_text}
      actions={query.data && (
        <button type="button" className="button-accent" onClick={() => setMaking(true)}><PlusIcon /> {t.new_key}</button>
      )}
    >
      <p role="status" className="text-sm text-soft empty:hidden">{news}</p>
      <Answer query={query} isEmpty={(answer) => answer.keys.length === 0} empty={t.no_keys}>
        {() => (
          <>
            {counting.length === 0 && <p className="text-soft">{t.no_keys}</p>}
            <ul className="card divide-y divide-line empty:hidden">
              {(all ? [...counting, ...keys.filter((key) => key.revoked_at !== null)] : counting).map((key) => (
                <Key key={key.id} of={key} own={key.id === session.key_id} onRevoke={() => setRevoking(key)} />
              ))}
            </ul>
            {gone > 0 && !all && (
              <button type="button" className="button-quiet" onClick={() => setAll(true)}>{t.show_revoked(gone)}</button>
            )}
          </>
        )}
      </Answer>
      {making && <NewKey first={counting.length === 0 && !session.key_required} onClose={() => setMaking(false)} />}
      {revoking && (
        <RevokeKey
          of={revoking} own={revoking.id === session.key_id} last={counting.length === 1} change={revoke}
          onClose={() => {
            revoke.reset();
            setRevoking(null);
          }}
        />
      )}
    </Section>
  );
}

function Key({ of: key, own, onRevoke }: { of: KeyView; own: boolean; onRevoke: () => void }) {
  const { t, lang, format } = useArea(texts);
  const dates = useMemo(() => makeDates(lang), [lang]);
  const over = isOver(key);
  const rights = [
    key.scopes === null ? t.everything : key.scopes.map((scope) => t[`scope_${scope}`]).join(", "),
    key.models !== null && t.only_models(key.models.join(", ")),
    key.requests_per_day !== null && t.requests_a_day(key.requests_per_day, format.count(key.requests_per_day)),
    key.tokens_per_day !== null && t.tokens_a_day(key.tokens_per_day, format.count(key.tokens_per_day)),
  ].filter(Boolean);
  const times = [
    t.made(dates.moment(key.created_at)),
    key.last_used_at === null ? t.never_used : t.used(dates.moment(key.last_used_at)),
    key.expires_at !== null && !over && t.expires(dates.moment(key.expires_at)),
    key.revoked_at !== null && t.revoked_at(dates.moment(key.revoked_at)),
  ].filter(Boolean);
  return (
    <li className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 p-4">
      <div className="min-w-0 flex-1 basis-64 space-y-1 text-sm">
        <p className="flex flex-wrap items-center gap-x-2">
          <StatusDot tone={key.revoked_at !== null || over ? "off" : "good"} />
          <span className="font-medium [overflow-wrap:anywhere]">{key.name}</span>
          <span className="font-mono text-xs text-soft">{key.id}</span>
          {own && <span className="rounded bg-accent-wash px-1.5 text-xs text-accent">{t.this_browser}</span>}
          {over && key.revoked_at === null && <span className="text-xs text-danger">{t.expired}</span>}
        </p>
        <p className="[overflow-wrap:anywhere]">{rights.join(" · ")}</p>
        <p className="text-xs text-soft">{times.join(" · ")}</p>
      </div>
      {key.revoked_at === null && (
        <button type="button" className="button" aria-label={t.revoke_of(key.name)} onClick={onRevoke}>{t.revoke}</button>
      )}
    </li>
  );
}
