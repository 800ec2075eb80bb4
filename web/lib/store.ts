import { useSyncExternalStore } from "react";

/** One value that components may watch; it lives longer than any of them. */
export interface Store<T> {
  get(): T;
  set(next: T | ((old: T) => T)): void;
  subscribe(listener: () => void): () => void;
  /** What the exported HTML was rendered with. */
  readonly server: T;
}

export function createStore<T>(server: T, initial: T = server): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    server,
    get: () => value,
    set(next) {
      const made = typeof next === "function" ? (next as (old: T) => T)(value) : next;
      if (Object.is(made, value)) return;
      value = made;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, () => store.server);
}
