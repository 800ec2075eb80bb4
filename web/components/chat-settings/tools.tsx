"use client";

import type { ModelRecord } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import { checkedTools } from "@/lib/json-field";
import { changeOptions, chatOptions } from "@/lib/options";
import { useStore } from "@/lib/store";
import { JsonText } from "./json-text";
import { Honestly, Section } from "./section";

const EXAMPLE = JSON.stringify(
  [
    {
      type: "function",
      function: {
        name: "weather",
        description: "The weather of a place, now.",
        parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
      },
    },
  ],
  null,
  2,
);

/** Functions that the model may ask for. */
export function Tools({ model }: { model: ModelRecord }) {
  const { t } = useArea(texts);
  const { written } = useStore(chatOptions);
  const text = written?.tools ?? "";
  const refused = model.capabilities !== null && !model.capabilities.includes("tools");
  const write = (next: string) =>
    changeOptions({ written: { ...written, tools: next || undefined }, tools: checkedTools(next).value ?? undefined });
  if (refused && text === "") return <Section title={t.tools}><Honestly>{t.no_tools(model.id)}</Honestly></Section>;
  return (
    <Section title={t.tools} intro={t.tools_text}>
      {refused && <Honestly>{t.no_tools(model.id)}</Honestly>}
      <JsonText label={t.tools_field} text={text} hint={t.tools_text} problem={checkedTools(text).problem} exampleLabel={t.tools_example} example={EXAMPLE} onChange={write} />
    </Section>
  );
}
