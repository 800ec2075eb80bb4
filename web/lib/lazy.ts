import { createStore, useStore } from "./store";

/**
 * A part of the page in a script of its own, fetched after the first paint. Until it is there, and
 * where fetching it failed, `use()` gives null and the page shows its plain form.
 */
export function lazyPart<T extends object>(fetchPart: () => Promise<T>) {
  const part = createStore<T | null>(null);
  let fetching: Promise<void> | null = null;
  const load = (): Promise<void> => {
    fetching ??= fetchPart().then(
      (module) => part.set(module),
      () => {
        fetching = null;
      },
    );
    return fetching;
  };
  return { load, use: () => useStore(part) };
}

/** Run when the browser has nothing better to do, at the latest after two seconds. */
export function whenIdle(work: () => void): void {
  if ("requestIdleCallback" in window) window.requestIdleCallback(work, { timeout: 2000 });
  else setTimeout(work, 200);
}
