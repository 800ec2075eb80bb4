"use client";

import { canChat, type Catalogue } from "@/lib/catalogue";
import type { ModelRecord } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/composer";
import { changeOptions, chatOptions } from "@/lib/options";
import { useStore } from "@/lib/store";
import { CloseIcon } from "../ui/icons";
import { ColumnsIcon } from "./answer-icons";
import { ModelMenu } from "./model-menu";

interface Props {
  stock: Catalogue;
  /** The model that answers first. */
  first: ModelRecord;
  /** Where the focus goes when what had it is gone. */
  onMoved: () => void;
}

/** Lets a second model answer each question beside the first, at the same time. */
export function SecondModel({ stock, first, onMoved }: Props) {
  const { t } = useArea(texts);
  const { second } = useStore(chatOptions);
  const choose = (model: string | undefined) => {
    changeOptions({ second: model });
    requestAnimationFrame(onMoved);
  };
  if (second !== undefined && second !== first.id) {
    return (
      <span data-testid="second-model" className="flex min-w-0 items-center gap-0.5">
        <span className="[overflow-wrap:anywhere]">{t.second_asked(second)}</span>
        <button type="button" className="button-quiet p-1" aria-label={t.second_end(second)} title={t.second_end(second)} onClick={() => choose(undefined)}>
          <CloseIcon className="size-3.5" />
        </button>
      </span>
    );
  }
  const others = (stock.models ?? []).some((one) => canChat(one) && one.reference !== first.reference);
  return others && <ModelMenu label={t.second} icon={<ColumnsIcon className="size-4" />} but={first.reference} onChoose={choose} />;
}
