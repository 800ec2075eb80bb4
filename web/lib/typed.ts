import { createStore } from "./store";

/** What is written and not sent yet; it outlives the page that it is written on. */
export const typed = createStore("");
