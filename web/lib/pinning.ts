import { api } from "./api/client";
import { entryOf, findChat, putChat, refuseChats } from "./chats";
import { recordOf } from "./errors";
import { allowAsking } from "./key";
import { tellTabs } from "./tabs";

/** Pin or unpin a conversation; it goes back where the server refuses. */
export async function pinChat(id: string, pinned: boolean): Promise<void> {
  const before = findChat(id);
  if (!before) return;
  allowAsking();
  putChat({ ...before, pinned });
  try {
    const { data } = await api.POST("/api/v1/sessions/{session_id}/change", { params: { path: { session_id: id } }, body: { pinned } });
    if (data) putChat(entryOf(data.session));
    refuseChats(null);
    tellTabs({ about: "conversations" });
  } catch (thrown) {
    putChat(before);
    refuseChats(recordOf(thrown));
  }
}
