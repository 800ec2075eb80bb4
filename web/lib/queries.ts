import { QueryClient, type Query } from "@tanstack/react-query";

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

/** The route that a query asks, as the server describes it. */
export const routeOf = (query: Query): string => String(query.queryKey[0]);

/** Ask anew, now or when it is shown next, for everything under these routes. */
export function outdated(...routes: string[]): Promise<void> {
  const under = (route: string, begin: string) => route === begin || route.startsWith(`${begin}/`);
  return queries.invalidateQueries({ predicate: (query) => routes.some((begin) => under(routeOf(query), begin)) });
}
