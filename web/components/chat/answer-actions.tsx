"use client";

import type { ReactNode } from "react";
import { branchesAt, type Branches, type Tree } from "@/lib/branches";
import { askAgain } from "@/lib/chat";
import type { AssistantMessage } from "@/lib/conversation";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { idOf } from "@/lib/keeping";
import { CopyButton } from "../ui/copy-button";
import { RetryIcon } from "../ui/icons";
import { ColumnsIcon, GoOnIcon, SwapIcon } from "./answer-icons";
import { BranchArrows } from "./branch-arrows";
import { ModelMenu } from "./model-menu";

interface Props {
  message: AssistantMessage;
  /** The place of its question in the branch. */
  asked: number;
  tree: Tree;
  model: string | null;
  /** Two answers are shown: the arrows would move one of them unseen. */
  compared: boolean;
  /** Show the answer with this id beside the one that stands at this place. */
  onCompare: (id: string | undefined) => void;
}

/** What can be done with an answer that has ended. */
export function AnswerActions({ message, asked, tree, model, compared, onCompare }: Props) {
  const { t } = useArea(answers);
  const id = idOf(message);
  const branches = branchesAt(tree, id);
  const broken = message.finish === "length" || message.stopped || message.error !== undefined;
  const unfinished = broken && id !== undefined && message.content !== "" && !message.toolCalls;
  return (
    <div className="-ml-2 flex flex-wrap items-center gap-x-0.5 gap-y-1">
      {branches && !compared && <BranchArrows tree={tree} branches={branches} label={t.branches_answer} />}
      {message.content !== "" && <CopyButton text={message.content} label={t.copy_answer} />}
      <Act label={t.regenerate} onAct={() => askAgain({ at: asked, model })}><RetryIcon /></Act>
      <ModelMenu label={t.other_model} icon={<SwapIcon />} but={message.model} onChoose={(other) => askAgain({ at: asked, model: other })} />
      {unfinished && <Act label={t.continue} onAct={() => askAgain({ at: asked, model: message.model ?? model, goOn: true })}><GoOnIcon /></Act>}
      {id !== undefined && !compared && (
        <ModelMenu
          label={t.compare}
          icon={<ColumnsIcon />}
          but={message.model}
          onChoose={(other) => {
            onCompare(id);
            askAgain({ at: asked, model: other });
          }}
        />
      )}
      {branches && <Act label={compared ? t.side_by_side_end : t.side_by_side} onAct={() => onCompare(compared ? undefined : beside(branches))} wordy />}
    </div>
  );
}

/** The answer before the one that is shown, else the one behind it. */
const beside = ({ ids, at }: Branches): string | undefined => ids[at - 1] ?? ids[at + 1];

function Act({ label, onAct, wordy = false, children }: { label: string; onAct: () => void; wordy?: boolean; children?: ReactNode }) {
  return (
    <button type="button" className={`button-quiet ${wordy ? "text-xs" : ""}`} aria-label={wordy ? undefined : label} title={wordy ? undefined : label} onClick={onAct}>
      {wordy ? label : children}
    </button>
  );
}
