"use client";

import type { RefObject } from "react";
import { Menu } from "@base-ui/react/menu";
import { api } from "@/lib/api/client";
import type { ModelRecord } from "@/lib/api/types";
import type { useActing } from "@/lib/acting";
import { catalogue } from "@/lib/catalogue";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { useStore } from "@/lib/store";
import { CheckIcon, MoreIcon } from "../ui/icons";

type Role = "chat" | "embedding" | "translation";

interface Props {
  model: ModelRecord;
  act: ReturnType<typeof useActing>;
  button: RefObject<HTMLButtonElement | null>;
  onBuild: () => void;
  onRemove: () => void;
}

const ITEM = "flex cursor-pointer items-center gap-2 rounded-lg px-2.5 py-2 text-sm outline-none data-disabled:cursor-default data-disabled:opacity-50 data-highlighted:bg-hover";

/** The roles that a model can have; one that declares nothing may be able to do anything. */
function rolesFor({ capabilities }: ModelRecord): Role[] {
  const can = (capability: string) => !capabilities || capabilities.includes(capability);
  return [...(can("chat") ? (["chat", "translation"] as const) : []), ...(can("embedding") ? (["embedding"] as const) : [])];
}

/** What can be done with a model: its roles, memory, removal. */
export function ModelMenu({ model, act, button, onBuild, onRemove }: Props) {
  const { t } = useArea(texts);
  const { overview } = useStore(catalogue);
  const path = { name: model.reference };
  const able = (verb: string) =>
    overview?.providers.some(({ name, capabilities }) => [model.provider, model.source].includes(name) && capabilities.includes(verb)) ?? false;
  const memory = model.loaded ? able("unload") : able("load");
  const buildable = model.type === "folder" && (overview?.providers.some(({ capabilities }) => capabilities.includes("build")) ?? false);
  const setRole = (role: Role, on: boolean) =>
    act.mutate(async () => {
      if (on) return api.POST("/api/v1/models/switch", { body: { name: model.reference, role, load: false } });
      const { data } = await api.POST("/api/v1/models/deactivate", { body: { role } });
      return { data: { message: data?.before === null ? t.chosen_by_itself : data?.message } };
    });
  const setLoaded = (on: boolean) =>
    act.mutate(() => (on ? api.POST("/api/v1/models/{name}/load", { params: { path } }) : api.POST("/api/v1/models/{name}/unload", { params: { path } })));
  return (
    <Menu.Root>
      <Menu.Trigger ref={button} className="button-icon" aria-label={t.more(model.id)} title={t.more(model.id)}><MoreIcon className="size-5" /></Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={6} className="z-40 outline-none">
          <Menu.Popup className="w-72 max-w-[calc(100vw-1.5rem)] rounded-xl border border-line bg-raised p-1.5 shadow-xl outline-none">
            {rolesFor(model).map((role) => (
              <Menu.CheckboxItem key={role} className={ITEM} checked={model.active_roles.includes(role)} onCheckedChange={(on) => setRole(role, on)} closeOnClick>
                <span className="size-4 text-accent"><Menu.CheckboxItemIndicator><CheckIcon /></Menu.CheckboxItemIndicator></span> {t[`use_${role}`]}
              </Menu.CheckboxItem>
            ))}
            {memory && (
              <Menu.Item className={ITEM} onClick={() => setLoaded(!model.loaded)}><span className="size-4" /> {model.loaded ? t.unload : t.load}</Menu.Item>
            )}
            {buildable && <Menu.Item className={ITEM} onClick={onBuild}><span className="size-4" /> {t.build}</Menu.Item>}
            {able("remove") && (
              <>
                <Menu.Separator className="my-1.5 h-px bg-line" />
                <Menu.Item className={`${ITEM} text-danger`} onClick={onRemove}><span className="size-4" /> {t.remove}</Menu.Item>
              </>
            )}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
