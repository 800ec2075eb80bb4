import { readItem, writeItem } from "./storage";
import { createStore } from "./store";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

function initialTheme(): Theme {
  const chosen = readItem("localStorage", "venom.theme");
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export const theme = createStore<Theme>("system", initialTheme());

/** `system` leaves the attribute away: the style sheet then follows the media query. */
export function chooseTheme(chosen: Theme): void {
  writeItem("localStorage", "venom.theme", chosen === "system" ? null : chosen);
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  theme.set(chosen);
}
