"use client";

import { ApiError } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { allowAsking, askForKey, signInCount } from "@/lib/key";
import { queries } from "@/lib/queries";
import { signOut } from "@/lib/signing-out";
import { Section } from "../ui/section";
import { StatusDot } from "../ui/status-dot";
import type { KeyView, SignInState } from "./keys-page";

/** Open the dialog that asks for a key; what it opens is asked for anew. */
function signIn(): void {
  allowAsking();
  const wanted = new ApiError({ code: "invalid_api_key", message: "" }, 401);
  void askForKey(wanted, signInCount()).then((done) => (done ? queries.invalidateQueries() : undefined));
}

/** Who this browser is to the server, and the way in and out. */
export function Who({ state, keys }: { state: SignInState; keys: readonly KeyView[] }) {
  const { t } = useArea(texts);
  const name = keys.find((key) => key.id === state.key_id)?.name;
  const shown = name ? `${name} (${state.key_id})` : (state.key_id ?? "");
  const scopes = state.scopes?.map((scope) => t[`scope_${scope}`]).join(", ");
  return (
    <Section title={t.you}>
      <div className="card flex flex-wrap items-center justify-between gap-4 p-4">
        <div className="flex min-w-0 flex-1 basis-64 gap-3 text-sm">
          <span className="flex h-5 items-center"><StatusDot tone={state.key_required && !state.signed_in ? "off" : "good"} /></span>
          <div className="min-w-0 space-y-1">
            <p className="font-medium [overflow-wrap:anywhere]">
              {!state.key_required ? t.open : state.signed_in ? t.signed_in(shown) : t.signed_out}
            </p>
            {state.signed_in && (
              <p className="text-soft">{scopes === undefined ? t.may_everything : t.may(scopes)}</p>
            )}
          </div>
        </div>
        {state.key_required && (
          <div className="flex flex-wrap gap-2">
            <button type="button" className="button" onClick={signIn}>{state.signed_in ? t.sign_in_other : t.sign_in}</button>
            {state.signed_in && <button type="button" className="button" onClick={() => void signOut()}>{t.sign_out}</button>}
          </div>
        )}
      </div>
    </Section>
  );
}
