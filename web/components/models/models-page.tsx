"use client";

import { Tabs } from "@base-ui/react/tabs";
import { useEffect } from "react";
import { useFragment, showFragment } from "@/lib/fragment";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { lazyPart } from "@/lib/lazy";
import { Page } from "../ui/page";
import { TabNames } from "../ui/tab-names";
import { Installed } from "./installed";
import { Operations } from "./operations";

/** Most visits look at what is installed. */
const findPart = lazyPart(() => import("./find-models"));

function Find() {
  const { t } = useText();
  const part = findPart.use();
  useEffect(() => void findPart.load(), []);
  return part ? <part.FindModels /> : <p role="status" className="text-soft">{t.loading}…</p>;
}

/** What is installed, what could be had, and above both what is being fetched. */
export function ModelsPage() {
  const { t } = useArea(texts);
  const shown = useFragment() === "get" ? "get" : "installed";
  return (
    <Page title={t.title} intro={t.text} wide>
      <Operations />
      <Tabs.Root value={shown} onValueChange={(value) => showFragment(value === "get" ? "get" : "")}>
        <TabNames names={{ installed: t.tab_installed, get: t.tab_get }} />
        <Tabs.Panel value="installed" tabIndex={-1} className="pt-5"><Installed /></Tabs.Panel>
        <Tabs.Panel value="get" tabIndex={-1} className="pt-5"><Find /></Tabs.Panel>
      </Tabs.Root>
    </Page>
  );
}
