"use client";

import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { asking } from "@/lib/api/client";
import type { ModelRecord } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import { checkedSchema } from "@/lib/json-field";
import { changeOptions, chatOptions } from "@/lib/options";
import { useStore } from "@/lib/store";
import { JsonText } from "./json-text";
import { Honestly, Section } from "./section";

type Form = "text" | "json" | "schema";
const FORMS: readonly Form[] = ["text", "json", "schema"];

const EXAMPLE = JSON.stringify(
  { type: "object", properties: { title: { type: "string" }, year: { type: "integer" } }, required: ["title", "year"], additionalProperties: false },
  null,
  2,
);

/** Text, or JSON that the engine is held to. */
export function Output({ model }: { model: ModelRecord }) {
  const { t } = useArea(texts);
  const id = useId();
  const { response_format, written } = useStore(chatOptions);
  const able = useQuery(asking("/api/v1/models/{name}/capabilities", { path: { name: model.reference } }));
  const refused = able.data?.capabilities.supports_response_format === false;
  const schema = written?.schema;
  const form: Form = schema !== undefined ? "schema" : response_format ? "json" : "text";
  const write = (text: string) => {
    const { value } = checkedSchema(text);
    changeOptions({
      written: { ...written, schema: text },
      response_format: value ? { type: "json_schema", json_schema: { name: "answer", schema: value, strict: true } } : undefined,
    });
  };
  const choose = (next: Form) => {
    if (next === "schema") return write("");
    changeOptions({ written: { ...written, schema: undefined }, response_format: next === "json" ? { type: "json_object" } : undefined });
  };
  if (refused && form === "text") return <Section title={t.output}><Honestly>{t.no_output(model.id)}</Honestly></Section>;
  return (
    <Section title={t.output}>
      {refused && <Honestly>{t.no_output(model.id)}</Honestly>}
      <label htmlFor={id} className="sr-only">{t.output}</label>
      <select id={id} className="field" value={form} onChange={(event) => choose(event.target.value as Form)}>
        {FORMS.map((one) => <option key={one} value={one}>{t[`form_${one}`]}</option>)}
      </select>
      {form === "json" && <p className="text-xs leading-relaxed text-soft">{t.json_hint}</p>}
      {schema !== undefined && (
        <JsonText label={t.schema} text={schema} hint={t.schema_hint} problem={checkedSchema(schema).problem} exampleLabel={t.schema_example} example={EXAMPLE} onChange={write} />
      )}
    </Section>
  );
}
