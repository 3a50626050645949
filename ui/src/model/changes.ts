// What changed by itself between two views, as it is said to whoever can't see it.

import type { View } from "../contract";
import { capital, say } from "../say.svelte";
import { title } from "./account";

export function changes(before: View, after: View): string[] {
  const said: string[] = [];
  for (const account of after.accounts) {
    const old = before.accounts.find((known) => known.id === account.id);
    if (old?.state !== account.state) {
      said.push(`${title(account)}: ${capital(say(`state.${account.state}`))}`);
    }
  }
  const current = after.kubeconfig?.current ?? null;
  if (current !== null && current !== (before.kubeconfig?.current ?? null)) {
    said.push(say("window.switched", { context: current }));
  }
  const known = new Set(before.questions.map((question) => question.name));
  for (const question of after.questions) {
    if (question.waits && !known.has(question.name)) {
      said.push(say("window.question-new", { asker: question.asker }));
    }
  }
  return said;
}
