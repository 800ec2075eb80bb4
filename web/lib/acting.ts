import { useMutation } from "@tanstack/react-query";
import { outdated } from "./queries";

/** A change that the server makes and says in a sentence. */
type Change = () => Promise<{ data?: { message?: string } }>;

/**
 * Changes of one thing, one at a time: `act.mutate(() => api.POST(...))`. `data` is what the server
 * said of the last one. `routes` are asked anew, whatever the feed tells.
 */
export function useActing(...routes: string[]) {
  return useMutation({
    mutationFn: async (change: Change) => (await change()).data?.message ?? null,
    onSettled: () => outdated(...routes),
  });
}
