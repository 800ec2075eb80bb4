import table from "./routes.json";

/** A page: its address, and its name in the dictionaries (`route_NAME`) and among the icons. */
export interface PageRoute {
  path: string;
  name: RouteName;
}

export type RouteName = "chat" | "models" | "plugins" | "keys" | "runtime" | "config" | "usage" | "translate" | "benchmark";

/** Every page, in the order of the menu: menu, titles and the browser's tests are made from it. */
export const ROUTES = table as readonly PageRoute[];

/** The page at an address; a conversation, `/c/ID`, is the chat's. */
export function routeAt(path: string): PageRoute | undefined {
  const bare = path.length > 1 ? path.replace(/\/$/, "") : path;
  return ROUTES.find((route) => route.path === bare) ?? (bare.startsWith("/c/") ? ROUTES[0] : undefined);
}
