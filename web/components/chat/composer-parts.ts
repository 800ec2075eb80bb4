import { followDrafts } from "@/lib/drafts";
import { followOptions } from "@/lib/options";
import { chat } from "@/lib/chat";

export { Attached, AttachButton } from "./attached";
export { ContextBar } from "./context-bar";

/** Keep what is written and what is set with its conversation; returns what ends that. */
export function followChat(): () => void {
  followOptions();
  const stops = [chat.subscribe(followOptions), followDrafts()];
  return () => {
    for (const stop of stops) stop();
  };
}
