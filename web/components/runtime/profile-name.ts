import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";

export type Profile = Schemas["ProfileView"];

/** A profile's name for people; one of a newer server has its own. */
export function useProfileName(): (name: string) => string {
  const { t } = useArea(texts);
  return (name) => {
    const key = `profile_${name}`;
    return key in t ? String(t[key as "profile_light"]) : name;
  };
}
