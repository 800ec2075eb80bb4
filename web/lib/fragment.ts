import { useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  window.addEventListener("popstate", listener);
  return () => {
    window.removeEventListener("hashchange", listener);
    window.removeEventListener("popstate", listener);
  };
}

/** What stands behind `#` in the address: which part of a page is shown. */
export function useFragment(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash.slice(1), () => "");
}

export function showFragment(fragment: string): void {
  window.history.replaceState(window.history.state, "", fragment ? `#${fragment}` : window.location.pathname);
  window.dispatchEvent(new Event("hashchange"));
}

/** Where the page of models shows a model's self-test. */
export const selfTestOf = (reference: string): string => `selftest=${encodeURIComponent(reference)}`;
