import type { Schemas } from "./api/types";

type Profile = Pick<Schemas["ProfileView"], "name" | "excludes" | "servers" | "services" | "runtimes" | "profile_capabilities">;

/** What becomes other when a profile takes another's place. */
export interface ProfileDiff {
  /** Whether models run: `stop` and `begin` are changes, `same` is none. */
  models: "stop" | "begin" | "same";
  /** Servers that may answer then and may not now, and the other way round. */
  servers: { gained: string[]; lost: string[] };
  /** Providers that are kept closed then, or no longer. */
  closed: { gained: string[]; lost: string[] };
  /** Services that belong to it, and are named where they are missing. */
  services: { gained: string[]; lost: string[] };
  /** The order in which runtimes are asked for a bare name, where it is another. */
  order: string[] | null;
}

function between(before: readonly string[], after: readonly string[]) {
  return {
    gained: after.filter((one) => !before.includes(one)),
    lost: before.filter((one) => !after.includes(one)),
  };
}

export function profileDiff(before: Profile, after: Profile): ProfileDiff {
  const [ran, runs] = [before, after].map((one) => one.profile_capabilities.uses_local_llm);
  const isOther = after.runtimes.join() !== before.runtimes.join() && after.runtimes.length > 0;
  return {
    models: ran === runs ? "same" : runs ? "begin" : "stop",
    servers: between(before.servers, after.servers),
    closed: between(before.excludes, after.excludes),
    services: between(before.services, after.services),
    order: isOther ? [...after.runtimes] : null,
  };
}

export function isEmpty({ models, servers, closed, services, order }: ProfileDiff): boolean {
  const lists = [servers, closed, services].flatMap((one) => [...one.gained, ...one.lost]);
  return models === "same" && lists.length === 0 && order === null;
}
