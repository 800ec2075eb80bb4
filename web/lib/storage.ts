/** Browser storage that may be full or forbidden: reading then gives null, writing gives false. */
type Area = "localStorage" | "sessionStorage";

export function readItem(area: Area, key: string): string | null {
  if (typeof window === "undefined") return null;
  try {
    return window[area].getItem(key);
  } catch {
    return null;
  }
}

export function writeItem(area: Area, key: string, value: string | null): boolean {
  try {
    if (value === null) window[area].removeItem(key);
    else window[area].setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

export function itemNames(area: Area): string[] {
  if (typeof window === "undefined") return [];
  try {
    return Object.keys(window[area]);
  } catch {
    return [];
  }
}
