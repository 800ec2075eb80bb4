"use client";

import { Tabs } from "@base-ui/react/tabs";
import { useFragment, showFragment } from "@/lib/fragment";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { Page } from "../ui/page";
import { TabNames } from "../ui/tab-names";
import { FindModels } from "./find-models";
import { Installed } from "./installed";
import { Operations } from "./operations";

/** What is installed, what could be had, and above both what is being fetched. */
export function ModelsPage() {
  const { t } = useArea(texts);
  const shown = useFragment() === "get" ? "get" : "installed";
  return (
    <Page title={t.title} intro={t.text} wide>
      <Operations />
      <Tabs.Root value={shown} onValueChange={(value) => showFragment(value === "get" ? "get" : "")}>
        <TabNames names={{ installed: t.tab_installed, get: t.tab_get }} />
        <Tabs.Panel value="installed" className="pt-5 outline-none"><Installed /></Tabs.Panel>
        <Tabs.Panel value="get" className="pt-5 outline-none"><FindModels /></Tabs.Panel>
      </Tabs.Root>
    </Page>
  );
}
