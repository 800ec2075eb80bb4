import { createStore } from "@/lib/store";

/** Whether the menu of narrow screens is open. */
export const drawer = createStore(false);
