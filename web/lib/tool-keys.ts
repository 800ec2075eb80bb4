import { api } from "./api/client";
import type { Schemas } from "./api/types";

export type KeyScope = "chat" | "models" | "all";

const SCOPES: Record<KeyScope, Schemas["CreateKeyRequest"]["scopes"]> = { chat: ["chat"], models: ["chat", "models"], all: null };

/** A key for a tool; the server tells it this once. */
export async function makeKey(name: string, scope: KeyScope): Promise<string> {
  const { data } = await api.POST("/api/v1/keys", { body: { name, scopes: SCOPES[scope] } });
  if (!data) throw new Error("no key");
  return data.key;
}
