"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { Page } from "../ui/page";
import { ActiveServer } from "./active-server";
import { FiguresPart } from "./figures";
import { History } from "./history";
import { Profiles } from "./profiles";
import { Services } from "./services";

export function RuntimePage() {
  const { t } = useArea(texts);
  return (
    <Page title={t.title} intro={t.text} wide>
      <div className="space-y-10">
        <FiguresPart />
        <Profiles />
        <ActiveServer />
        <Services />
        <History />
      </div>
    </Page>
  );
}
