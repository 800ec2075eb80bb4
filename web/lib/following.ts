import { QueryObserver } from "@tanstack/react-query";
import { MODELS, OVERVIEW, showCatalogue } from "./catalogue";
import { followFeed } from "./feed";
import { queries } from "./queries";

/** Keep the catalogue as new as its two queries; returns what ends that. */
function followCatalogue(): () => void {
  const watched = [new QueryObserver(queries, OVERVIEW), new QueryObserver(queries, MODELS)];
  const stops = watched.map((observer) => observer.subscribe((seen) => seen.isFetching || showCatalogue()));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Keep what is shown as new as the server is; returns what ends that. */
export function followServer(): () => void {
  const stops = [followCatalogue(), followFeed()];
  return () => {
    for (const stop of stops) stop();
  };
}
