"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { api, asking } from "@/lib/api/client";
import type { ModelRecord, Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import { allowAsking } from "@/lib/key";
import { changeOptions, chatOptions } from "@/lib/options";
import { outdated } from "@/lib/queries";
import { useStore } from "@/lib/store";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { ParameterField } from "./parameter-field";
import { Section } from "./section";

const CONFIG = "/api/v1/models/{name}/config";

type View = Schemas["GenerationView"];

/** How the model answers: what its own schema offers, where each value comes from, and who keeps it. */
export function Parameters({ model }: { model: ModelRecord }) {
  const { t } = useArea(texts);
  const view = useQuery(asking(CONFIG, { path: { name: model.reference } }));
  return (
    <Section title={t.answering} intro={t.answering_text(model.id)}>
      <Answer query={view} isEmpty={(data) => Object.keys(data.generation_schema).length === 0} empty={t.none_to_set}>
        {(data) => <Fields view={data} reference={model.reference} />}
      </Answer>
    </Section>
  );
}

function Fields({ view, reference }: { view: View; reference: string }) {
  const { parameters } = useStore(chatOptions);
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...others } = chatOptions.get().parameters;
    changeOptions({ parameters: value === undefined ? others : { ...others, [name]: value } });
  };
  return (
    <>
      <ul className="space-y-4">
        {Object.entries(view.generation_schema).map(([name, parameter]) => (
          <li key={name}>
            <ParameterField
              name={name}
              parameter={parameter}
              chosen={parameters[name]}
              effective={view.effective[name]}
              origin={view.origins[name]}
              onChange={(value) => set(name, value)}
            />
          </li>
        ))}
      </ul>
      <Keeping view={view} reference={reference} parameters={parameters} />
    </>
  );
}

/** What was set for this chat may hold for every question to the model. */
function Keeping({ view, reference, parameters }: { view: View; reference: string; parameters: Record<string, unknown> }) {
  const { t } = useArea(texts);
  const keep = useMutation({
    mutationFn: (params: Record<string, unknown>) => {
      allowAsking();
      return api.POST(CONFIG, { params: { path: { name: reference } }, body: { params } });
    },
    onSuccess: async () => {
      await outdated(CONFIG);
    },
  });
  const here = Object.entries(parameters).filter(([name]) => name in view.generation_schema);
  const isSaved = Object.keys(view.saved).length > 0;
  const save = () =>
    keep.mutate({ ...view.saved, ...Object.fromEntries(here) }, { onSuccess: () => changeOptions({ parameters: {} }) });
  const sent = keep.variables && Object.keys(keep.variables).length > 0;
  return (
    <div className="space-y-2.5">
      <div className="flex flex-wrap gap-2">
        {here.length > 0 && (
          <>
            <button type="button" className="button" disabled={keep.isPending} onClick={save}>{t.save}</button>
            <button type="button" className="button-quiet" onClick={() => changeOptions({ parameters: {} })}>{t.reset}</button>
          </>
        )}
        {isSaved && (
          <button type="button" className="button-quiet" disabled={keep.isPending} onClick={() => keep.mutate({})}>{t.forget_saved}</button>
        )}
      </div>
      <p role="status" className="text-[0.8125rem] text-soft">{keep.isSuccess && here.length === 0 && (sent ? t.saved : t.forgot)}</p>
      {keep.error && <ErrorNote error={recordOf(keep.error)} />}
    </div>
  );
}
