"use client";

import Link from "next/link";
import { useEffect, useRef, useState } from "react";
import { api } from "@/lib/api/client";
import type { ModelRecord, Schemas } from "@/lib/api/types";
import { useActing } from "@/lib/acting";
import { canChat, catalogue, chooseModel, titleOf } from "@/lib/catalogue";
import { recordOf } from "@/lib/errors";
import { selfTestOf, showFragment, useFragment } from "@/lib/fragment";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { useText } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import { settleSelfTest } from "@/lib/self-tests";
import { useStore } from "@/lib/store";
import { ErrorNote } from "../ui/error-note";
import { ChatIcon } from "../ui/icons";
import { BeingTested } from "./being-tested";
import { Capabilities } from "./capabilities";
import type { Tab } from "./model-details";
import { ModelMenu } from "./model-menu";
import { RemoveModel } from "./remove-model";

/** Fetched when somebody wants to know more. */
const detailsPart = lazyPart(() => import("./model-details"));
const buildPart = lazyPart(() => import("./build-model"));

interface Props {
  model: ModelRecord;
  /** What it takes in memory now. */
  held: Schemas["LoadedRecord"] | undefined;
}

export function ModelCard({ model, held }: Props) {
  const { t } = useArea(texts);
  const [open, setOpen] = useState<Tab | "build" | "remove" | null>(null);
  const act = useActing("/api/v1/models", "/api/v1/overview");
  const name = model.id;
  const details = detailsPart.use();
  const build = buildPart.use();
  const addressed = useFragment() === selfTestOf(model.reference);
  const shown = open ?? (addressed ? "selftest" : null);
  useEffect(() => {
    if (addressed) void detailsPart.load();
  }, [addressed]);
  const show = (tab: Tab) => {
    setOpen(tab);
    void detailsPart.load();
  };
  const startBuild = () => {
    setOpen("build");
    void buildPart.load();
  };
  const more = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(null);
    settleSelfTest(model.reference);
    if (addressed) showFragment("");
  };
  // Where the line of the menu that opened it is gone, the focus goes back to the menu's button.
  const leave = () => {
    close();
    setTimeout(() => document.activeElement === document.body && more.current?.focus());
  };
  const remove = () => {
    close();
    act.mutate(() => api.DELETE("/api/v1/models/{name}", { params: { path: { name: model.reference } } }));
  };
  return (
    <article aria-label={name} aria-busy={act.isPending} className="card flex flex-col gap-3 p-4 sm:p-5">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64 space-y-1">
          <h2 className="font-semibold [overflow-wrap:anywhere]">{name}</h2>
          <Facts model={model} held={held} />
          <div className="pt-1.5"><Capabilities model={model} /></div>
        </div>
        <div className="flex flex-wrap items-center gap-1.5">
          {canChat(model) && (
            <Link href="/" prefetch={false} className="button" aria-label={t.chat_with(name)} onClick={() => chooseModel(model.id)}>
              <ChatIcon /> {t.chat}
            </Link>
          )}
          <button
            type="button" className="button" aria-haspopup="dialog" aria-label={t.details_of(name)}
            onClick={() => show("facts")}
          >
            {t.details}
          </button>
          <ModelMenu model={model} act={act} button={more} onBuild={startBuild} onRemove={() => setOpen("remove")} />
        </div>
      </div>
      <p role="status" className="text-sm text-soft empty:hidden">{act.isPending ? `${t.working}…` : act.data}</p>
      {act.error && <ErrorNote error={recordOf(act.error)} />}
      <BeingTested reference={model.reference} onShow={() => show("selftest")} />
      {shown && shown !== "remove" && shown !== "build" && details && <details.ModelDetails key={shown} model={model} first={shown} onClose={leave} />}
      {shown === "build" && build && <build.BuildModel model={model} onClose={leave} />}
      {shown === "remove" && <RemoveModel model={model} onRemove={remove} onClose={leave} />}
    </article>
  );
}

function Facts({ model, held }: Props) {
  const { t, lang, format } = useArea(texts);
  const { t: shared } = useText();
  const roles = model.active_roles.map((role) => t[`role_${role as Schemas["RoleRequest"]["role"] & string}`]);
  const bytes = held?.size_bytes ?? null;
  const until = held?.expires_at ? new Intl.DateTimeFormat(lang, { timeStyle: "short" }).format(new Date(held.expires_at)) : null;
  const memory = bytes === null ? t.held : until ? t.in_memory_until(format.bytes(bytes), until) : t.in_memory(format.bytes(bytes));
  const stock = useStore(catalogue);
  const facts = [
    titleOf(stock, model.provider),
    model.size_bytes !== null && format.bytes(model.size_bytes),
    model.quantization,
    model.context_length !== null && shared.context_length(format.count(model.context_length)),
    model.base_model && shared.base_mark,
    model.runs_at ? shared.runs_at(model.runs_at) : t.here,
  ].filter(Boolean);
  return (
    <>
      <p className="text-sm leading-relaxed text-soft">{facts.join(" · ")}</p>
      {(roles.length > 0 || model.loaded) && (
        <p className="flex flex-wrap gap-x-3 text-sm text-accent">
          {roles.map((role) => <span key={role}>{role}</span>)}
          {model.loaded && <span>{memory}</span>}
        </p>
      )}
    </>
  );
}
