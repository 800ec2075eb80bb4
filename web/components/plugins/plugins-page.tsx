"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import type { PluginRecord } from "@/lib/api/types";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { allowAsking } from "@/lib/key";
import { outdated } from "@/lib/queries";
import { Answer } from "../ui/answer";
import { RetryIcon } from "../ui/icons";
import { Page } from "../ui/page";
import { Engines } from "./engines";
import { Offers } from "./offers";
import { PluginCard } from "./plugin-card";

const SOON_MS = 1000;

function isOnItsWay(plugin: PluginRecord): boolean {
  return plugin.state === "discovered" || plugin.providers.some((provider) => provider.status === "opening");
}

export function PluginsPage() {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const query = useQuery({
    ...asking("/api/v1/plugins"),
    // What was on its way when the page was opened may be there before the feed is heard.
    refetchInterval: ({ state }) => (state.data?.plugins.some(isOnItsWay) ? SOON_MS : false),
  });
  const again = () => {
    allowAsking();
    void outdated("/api/v1/plugins", "/api/v1/engines");
  };
  const refresh = (
    <button type="button" className="button-icon" aria-label={shared.retry} title={shared.retry} onClick={again}>
      <RetryIcon />
    </button>
  );
  return (
    <Page title={t.title} intro={t.text} actions={refresh}>
      <Answer query={query} isEmpty={(answer) => answer.plugins.length === 0} empty={t.none}>
        {(answer) => (
          <ul className="space-y-3">
            {answer.plugins.map((plugin) => (
              <li key={`${plugin.id} ${plugin.distribution}`}>
                <PluginCard plugin={plugin} />
              </li>
            ))}
          </ul>
        )}
      </Answer>
      <Engines />
      <Offers />
    </Page>
  );
}
