"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "@/lib/api/client";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { isEmpty, profileDiff, type ProfileDiff } from "@/lib/profile-diff";
import { outdated } from "@/lib/queries";
import { ErrorNote } from "../ui/error-note";
import { Modal } from "../ui/modal";
import { Fix } from "../ui/sentence";
import { StatusDot } from "../ui/status-dot";
import { useProfileName, type Profile } from "./profile-name";

interface Props {
  before: Profile;
  after: Profile;
  onClose: () => void;
}

/** What a switch changes, then the switch, then what became of each service. */
export function ProfileSwitch({ before, after, onClose }: Props) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const named = useProfileName();
  // The cards behind it change with the switch; here the question stays the one that was asked.
  const [asked] = useState({ diff: profileDiff(before, after), name: after.name });
  const change = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/runtime/profile/{name}", { params: { path: { name: asked.name } } })).data,
    onSettled: () => outdated("/api/v1/profiles", "/api/v1/plugins", "/api/v1/overview", "/api/v1/system", "/api/v1/runtime", "/api/v1/models", "/api/v1/engines"),
  });
  const done = change.data;
  return (
    <Modal title={t.switch_to(named(asked.name))} onClose={onClose}>
      <div className="space-y-5 text-sm">
        {!done && (
          <section aria-label={t.what_changes} className="space-y-2">
            <h3 className="font-medium">{t.what_changes}</h3>
            <Changes diff={asked.diff} />
          </section>
        )}
        {change.isError && <ErrorNote error={recordOf(change.error)} />}
        <div role="status" className="space-y-3">
          {done && <p className="font-medium">{done.message}</p>}
          {done && (
            <ul aria-label={t.result} className="space-y-2">
              {done.results.map((one, at) => (
                <li key={at} className="space-y-1.5">
                  <p className="flex items-baseline gap-2"><StatusDot tone={one.success ? "good" : "bad"} /> <span className="font-medium">{one.service}</span> <span className="text-soft">{one.message}</span></p>
                  {one.fix && <Fix fix={one.fix} />}
                </li>
              ))}
            </ul>
          )}
        </div>
        <div className="flex flex-wrap justify-end gap-2">
          {done
            ? <button type="button" className="button-accent" onClick={onClose}>{shared.close}</button>
            : (
              <>
                <button type="button" className="button" onClick={onClose}>{shared.cancel}</button>
                <button type="button" className="button-accent" data-first disabled={change.isPending} onClick={() => change.mutate()}>{t.switch_to(named(asked.name))}</button>
              </>
            )}
        </div>
      </div>
    </Modal>
  );
}

function Changes({ diff }: { diff: ProfileDiff }) {
  const { t } = useArea(texts);
  if (isEmpty(diff)) return <p className="text-soft">{t.changes_nothing}</p>;
  // Where nothing runs, what was kept closed says nothing.
  const kinds = diff.models === "stop" ? (["servers", "services"] as const) : (["closed", "servers", "services"] as const);
  const told = kinds.flatMap((kind) =>
    (["lost", "gained"] as const).map((way) => {
      const names = diff[kind][way];
      return names.length > 0 && t[`${kind}_${way}`](names.join(", "));
    }),
  );
  const lines = [diff.models !== "same" && t[`models_${diff.models}`], ...told, diff.order && t.order(diff.order.join(", "))];
  return (
    <ul className="list-disc space-y-1 pl-5 text-soft">
      {lines.filter((line) => typeof line === "string").map((line) => <li key={line}>{line}</li>)}
    </ul>
  );
}
