import { catalogue, chooseModel, findModel } from "./catalogue";
import type { Operation } from "./api/types";
import { operationOf, RECENT } from "./operations";
import { queries } from "./queries";

/** Chats are held with a model from the moment that it is there: whoever fetched it wants to talk to it. */
export function chooseWhenThere(name: string): void {
  const stop = catalogue.subscribe(() => {
    const { models } = catalogue.get();
    const operations = queries.getQueryData<{ operations: Operation[] }>(RECENT.queryKey)?.operations ?? [];
    const operation = operationOf(operations, name);
    if (operation?.status === "cancelled") return stop();
    const found = findModel(models, name) ?? findModel(models, operation?.reference ?? null) ?? models?.find((model) => model.name === name);
    if (!found) return;
    stop();
    chooseModel(found.id);
  });
}
