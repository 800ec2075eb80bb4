"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import type { ModelRecord } from "@/lib/api/types";
import { chat } from "@/lib/chat";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import { changeOptions, chatOptions, defaultOptions, keepAsDefault, noOptions } from "@/lib/options";
import { useStore } from "@/lib/store";
import { Honestly, Section } from "./section";

/** What the model is told before the conversation. */
export function Instructions({ model }: { model: ModelRecord }) {
  const { t } = useArea(texts);
  const { system = "" } = useStore(chatOptions);
  const stored = useStore(chat).messages.find((message) => message.role === "system");
  const able = useQuery(asking("/api/v1/models/{name}/capabilities", { path: { name: model.reference } }));
  const refused = able.data?.capabilities.supports_system_role === false;
  return (
    <Section title={t.instructions} intro={t.instructions_text}>
      {refused && <Honestly>{t.no_system_role(model.id)}</Honestly>}
      {(!refused || system !== "") && (
        <textarea
          aria-label={t.instructions}
          rows={4}
          value={system}
          placeholder={t.instructions_placeholder}
          className="field field-sizing-content max-h-72 min-h-24 resize-y leading-relaxed"
          onChange={(event) => changeOptions({ system: event.target.value || undefined })}
        />
      )}
      {stored && system === "" && (
        <div className="space-y-1 text-[0.8125rem] text-soft">
          <p>{t.instructions_stored}</p>
          <p lang="" className="border-l-2 border-line pl-3 leading-relaxed whitespace-pre-wrap">{stored.content}</p>
        </div>
      )}
      <ForNewChats system={system} />
    </Section>
  );
}

/** Whether every new conversation begins with the same instructions. */
function ForNewChats({ system }: { system: string }) {
  const { t } = useArea(texts);
  const [kept, setKept] = useState(() => defaultOptions()?.system ?? "");
  const keep = (text: string) => {
    keepAsDefault(text === "" ? null : { ...noOptions(), system: text });
    setKept(text);
  };
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      {system !== "" && system !== kept && <button type="button" className="button" onClick={() => keep(system)}>{t.use_for_new}</button>}
      <p role="status" className="text-[0.8125rem] text-soft">{kept !== "" && kept === system && t.used_for_new}</p>
      {kept !== "" && <button type="button" className="button-quiet" onClick={() => keep("")}>{t.stop_using}</button>}
    </div>
  );
}
