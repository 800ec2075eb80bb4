"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chats";
import { useText } from "@/lib/i18n";
import { allowAsking } from "@/lib/key";
import { searchAgain } from "@/lib/search";
import type { Search } from "@/lib/searched";
import { Fix } from "../ui/sentence";

/** How the search went; what it found is in the list below. */
export function SearchNote({ query, found, more, error }: Search) {
  const { t } = useArea(texts);
  const { t: common } = useText();
  const again = () => {
    allowAsking();
    void searchAgain();
  };
  return (
    <div role="status" data-testid="search-note" className="px-2 pb-1 text-xs leading-relaxed text-soft">
      {error ? (
        <div className="space-y-1.5">
          <p className="font-medium">{t.search_failed}</p>
          <p lang={error.lang ?? "en"}>{error.message}</p>
          {error.fix && <Fix fix={error.fix} lang={error.lang ?? "en"} />}
          <button type="button" className="button" onClick={again}>{common.retry}</button>
        </div>
      ) : found === null ? (
        `${common.loading}…`
      ) : found.length === 0 ? (
        t.none_found(query)
      ) : (
        t.found(found.length)
      )}
      {more && <p>{t.more_found}</p>}
    </div>
  );
}
