import type { Schemas } from "./api/types";
import { sentenceAndCommand } from "./plain";

export type PluginVerb = "enable" | "disable" | "retry" | "reload" | "forget";

/** What a button can do about a reason, in place of the command that its fix names. */
export type FixAct = { kind: "plugin"; verb: PluginVerb; plugin: string } | { kind: "service"; service: string };

const VERBS = /^venom plugins (enable|retry|reload) ([A-Za-z0-9_.-]+)$/;

/**
 * The act of a fix, where the server can do it; null where a person has to.
 *
 * @param provider its name and capabilities, where the reason is a provider's.
 */
export function actOf(fix: string | null, provider?: Pick<Schemas["ProviderView"], "name" | "capabilities">): FixAct | null {
  const command = fix ? sentenceAndCommand(fix).command : null;
  const [, verb, plugin] = (command && VERBS.exec(command)) || [];
  if (verb && plugin) return { kind: "plugin", verb: verb as PluginVerb, plugin };
  const startable = provider?.capabilities.includes("start_engine");
  // Its own program starts a server in a terminal, of which Venom knows how to start one.
  return provider && startable && command && /^\S+ serve$/.test(command) && !command.startsWith("venom")
    ? { kind: "service", service: provider.name }
    : null;
}

/** What can be done to a plugin by a button: what its state allows, the most wanted first. */
export function verbsOf(plugin: Schemas["PluginView"]): PluginVerb[] {
  const isBlocked = plugin.reason?.code === "blocked" || plugin.reason?.code === "not_allowed";
  const crashed = plugin.reason?.code === "crashed_last_start";
  const third = plugin.origin === "third_party";
  switch (plugin.state) {
    case "disabled":
      return isBlocked ? [] : crashed ? ["retry", "disable"] : ["enable"];
    case "failed":
      return [third ? "reload" : "retry", "disable"];
    case "incompatible":
      return ["disable"];
    case "discovered":
      return [];
    case "loaded": {
      const ill = plugin.providers.some((one) => ["unavailable", "failed"].includes(one.status));
      return [...(ill ? (["retry"] as const) : []), ...(third ? (["reload"] as const) : []), "disable"];
    }
  }
}
