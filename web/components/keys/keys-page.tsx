"use client";

import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/lib/api/types";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { Answer } from "../ui/answer";
import { Page } from "../ui/page";
import { Sentence } from "../ui/sentence";
import { AuditTrail } from "./audit-trail";
import { KeyList } from "./key-list";
import { SignIns } from "./sign-ins";
import { Who } from "./who";

export type KeyView = Schemas["KeyView"];
export type SignInState = Schemas["SignInState"];

/** Whether a key with these scopes may look after the server; null is everything. */
const administers = (state: SignInState) => state.scopes === null || state.scopes.includes("admin");

export function KeysPage() {
  const { t } = useArea(texts);
  const session = useQuery(asking("/api/v1/session"));
  const state = session.data;
  const mayAsk = state !== undefined && (!state.key_required || state.signed_in);
  const may = mayAsk && administers(state);
  const keys = useQuery({ ...asking("/api/v1/keys"), enabled: may });
  return (
    <Page title={t.title} intro={t.text}>
      <Answer query={session}>{(found) => <Who state={found} keys={keys.data?.keys ?? []} />}</Answer>
      {may && <KeyList query={keys} session={state} />}
      {mayAsk && <SignIns keys={keys.data?.keys ?? []} />}
      {may && <AuditTrail keys={keys.data?.keys ?? []} />}
      {mayAsk && !may && <p className="card p-4 text-sm text-soft"><Sentence text={t.admin_only} /></p>}
    </Page>
  );
}
