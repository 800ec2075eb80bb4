"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { outdated } from "@/lib/queries";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { Part } from "./part";

type Options = Schemas["RuntimeOptions"];

/** The server that answers where no model is named, and making another one the active one. */
export function ActiveServer() {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/system/llm-runtime/options"));
  return (
    <Part id="server" title={t.server} text={t.server_text}>
      <Answer query={query}>{(told) => <Chooser told={told} />}</Answer>
    </Part>
  );
}

function Chooser({ told }: { told: Options }) {
  const { t } = useArea(texts);
  const [server, setServer] = useState<string | null>(null);
  const [model, setModel] = useState("");
  const chosen = server ?? told.active.provider ?? told.runtimes[0]?.provider ?? "";
  const runtime = told.runtimes.find((one) => one.provider === chosen);
  const models = (runtime?.models ?? []).filter((one) => told.model_catalog.chat.includes(one.reference));
  const activate = useMutation({
    mutationFn: async () =>
      (await api.POST("/api/v1/system/llm-servers/active", { body: { server_name: chosen, ...(model === "" ? {} : { model }) } })).data,
    onSettled: () => outdated("/api/v1/system", "/api/v1/overview", "/api/v1/models", "/api/v1/runtime", "/api/v1/engines", "/api/v1/config"),
  });
  const active = told.runtimes.find((one) => one.active);
  const now = active && told.active.model ? t.server_is(told.active.model, active.title) : t.server_none;
  return (
    <div className="card space-y-4 p-4 text-sm">
      <p className="font-medium [overflow-wrap:anywhere]" data-testid="active-server">{now}</p>
      {told.runtimes.length > 0 && (
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            if (!activate.isPending) activate.mutate();
          }}
        >
          <label className="min-w-60 flex-1 space-y-1">
            <span className="text-xs text-soft">{t.server_choose}</span>
            <select className="field" value={chosen} onChange={(event) => { setServer(event.target.value); setModel(""); activate.reset(); }}>
              {told.runtimes.map((one) => <option key={one.provider} value={one.provider}>{one.title}</option>)}
            </select>
          </label>
          <label className="min-w-60 flex-1 space-y-1">
            <span className="text-xs text-soft">{t.model_choose}</span>
            <select className="field" value={model} disabled={models.length === 0} onChange={(event) => { setModel(event.target.value); activate.reset(); }}>
              <option value="">{models.length === 0 ? t.no_chat_models : t.model_any}</option>
              {models.map((one) => <option key={one.reference} value={one.name}>{one.name}</option>)}
            </select>
          </label>
          <button type="submit" className="button-accent" disabled={models.length === 0 || activate.isPending}>{t.activate}</button>
        </form>
      )}
      {runtime?.reason && <p className="text-soft [overflow-wrap:anywhere]">{runtime.reason}</p>}
      <p role="status" className="text-soft">{activate.isPending ? `${t.activating}…` : activate.data?.message}</p>
      {activate.isError && <ErrorNote error={recordOf(activate.error)} />}
    </div>
  );
}
