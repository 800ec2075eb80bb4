"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/runtime";
import { Answer } from "../ui/answer";
import { StatusDot } from "../ui/status-dot";
import { Part } from "./part";
import { useProfileName, type Profile } from "./profile-name";
import { ProfileSwitch } from "./profile-switch";

export function Profiles() {
  const { t } = useArea(texts);
  const named = useProfileName();
  const [looking, setLooking] = useState<string | null>(null);
  const query = useQuery(asking("/api/v1/profiles"));
  return (
    <Part id="profile" title={t.profile} text={t.profile_text}>
      <Answer query={query}>
        {(told) => {
          const before = told.profiles.find((one) => one.active);
          const after = told.profiles.find((one) => one.name === looking);
          return (
            <>
              <ul className="grid gap-3 md:grid-cols-3">
                {told.profiles.map((one) => (
                  <li key={one.name} className="min-w-0"><ProfileCard profile={one} onLook={() => setLooking(one.name)} /></li>
                ))}
              </ul>
              <div role="status" className="space-y-1 text-sm text-soft">
                {told.switching && <p>{t.switching(named(told.switching))}</p>}
                {told.until_restart && <p>{t.until_restart(named(told.configured))}</p>}
                {told.fixed_by && <p>{t.fixed_by(told.fixed_by)}</p>}
              </div>
              {before && after && <ProfileSwitch before={before} after={after} onClose={() => setLooking(null)} />}
            </>
          );
        }}
      </Answer>
    </Part>
  );
}

function ProfileCard({ profile, onLook }: { profile: Profile; onLook: () => void }) {
  const { t } = useArea(texts);
  const name = useProfileName()(profile.name);
  return (
    <article aria-label={name} aria-current={profile.active || undefined} className={`card flex h-full flex-col gap-3 p-4 text-sm ${profile.active ? "border-accent" : ""}`}>
      <div className="flex items-center justify-between gap-2">
        <h3 className="font-medium">{name}</h3>
        {profile.active && <p className="flex items-center gap-2"><StatusDot tone="good" /> {t.active}</p>}
      </div>
      <p className="flex-1 text-soft">{profile.summary}</p>
      {!profile.active && (
        <button type="button" className="button self-start" aria-label={t.look_of(name)} onClick={onLook}>{t.look_and_switch}</button>
      )}
    </article>
  );
}
