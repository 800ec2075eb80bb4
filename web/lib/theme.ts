import { readItem, writeItem } from "./storage";
import { createStore } from "./store";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const CHOICE = "venom.theme";
/** The server's UI_THEME_DEFAULT as last heard, so that the next page is painted right at once. */
const DEFAULT = "venom.theme.default";

function stored(key: string): Theme | null {
  const value = readItem("localStorage", key);
  return THEMES.find((one) => one === value) ?? null;
}

/** What was chosen in this browser; also where nothing can be stored. */
let choice = stored(CHOICE);

/** The same rule as in the script of app/layout.tsx. */
export const theme = createStore<Theme>("system", choice ?? stored(DEFAULT) ?? "system");

/** `system` leaves the attribute away: the style sheet then follows the media query. */
function show(shown: Theme): void {
  if (shown === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = shown;
  theme.set(shown);
}

export function chooseTheme(chosen: Theme): void {
  choice = chosen;
  writeItem("localStorage", CHOICE, chosen);
  show(chosen);
}

/** The server's wish holds until somebody chooses here. */
export function followDefault(wish: Theme = "system"): void {
  writeItem("localStorage", DEFAULT, wish === "system" ? null : wish);
  if (choice === null && wish !== theme.get()) show(wish);
}
