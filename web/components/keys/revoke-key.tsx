"use client";

import { useQuery, type UseMutationResult } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { ErrorNote } from "../ui/error-note";
import { Modal } from "../ui/modal";
import type { KeyView } from "./keys-page";

interface Props {
  of: KeyView;
  /** This browser is signed in with it. */
  own: boolean;
  /** No other key is left then. */
  last: boolean;
  change: UseMutationResult<unknown, Error, KeyView>;
  onClose: () => void;
}

/** Asks before a key is revoked, and says what ends with it. */
export function RevokeKey({ of: key, own, last, change, onClose }: Props) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const signIns = useQuery(asking("/api/v1/signins", { query: { limit: 200 } }));
  const browsers = signIns.data?.signins.filter((one) => one.key_id === key.id && !one.here).length ?? 0;
  return (
    <Modal title={t.revoke_of(key.name)} onClose={onClose}>
      <div className="space-y-4 text-sm">
        <ul className="list-disc space-y-1.5 pl-5 leading-relaxed">
          <li>{t.revoke_text}</li>
          {browsers > 0 && <li>{t.revoke_signins(browsers)}</li>}
          {own && <li className="font-medium">{t.revoke_own}</li>}
          {last && <li className="font-medium">{t.revoke_last}</li>}
          <li>{t.revoke_kept}</li>
        </ul>
        {change.error && <ErrorNote error={recordOf(change.error)} />}
        <div className="flex justify-end gap-2">
          <button type="button" className="button" data-first onClick={onClose}>{shared.cancel}</button>
          <button type="button" className="button text-danger" disabled={change.isPending} onClick={() => change.mutate(key)}>{t.revoke}</button>
        </div>
      </div>
    </Modal>
  );
}
