import { QueryClient, type Query } from "@tanstack/react-query";
import { language } from "./i18n";
import { signedIn } from "./key";

/** What the server said, by what it was asked; one for the whole page, and told of changes by the feed. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The feed says when an answer is old; what it does not tell is asked again by whoever shows it.
      staleTime: 30_000,
      retry: false,
      refetchOnWindowFocus: true,
      refetchOnReconnect: true,
    },
    mutations: { retry: false },
  },
});

// What was told to nobody, to somebody else or in another language. Here and not with the feed, which is fetched later.
signedIn.subscribe(() => void queries.invalidateQueries());
language.subscribe(() => void queries.invalidateQueries());

/** The route that a query asks, as the server describes it. */
export const routeOf = (query: Query): string => String(query.queryKey[0]);

/** Ask anew, now or when it is shown next, for everything under these routes. */
export function outdated(...routes: string[]): Promise<void> {
  const under = (route: string, begin: string) => route === begin || route.startsWith(`${begin}/`);
  return queries.invalidateQueries({ predicate: (query) => routes.some((begin) => under(routeOf(query), begin)) });
}
