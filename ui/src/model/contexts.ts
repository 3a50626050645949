// Contexts: what is found, and in which order.

import type { AccountView, ContextView, View } from "../contract";

/** Those whose name or server has every word of the search in it, the better hits first. */
export function search(contexts: readonly ContextView[], text: string): ContextView[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const rank = (context: ContextView): number => {
    const name = context.name.toLowerCase();
    if (words.every((word) => name.startsWith(word))) return 0;
    return words.every((word) => name.includes(word)) ? 1 : 2;
  };
  return contexts
    .filter((context) => {
      const text =
        `${context.name} ${context.server ?? ""} ${context.namespace ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map((context, place) => ({ context, place, rank: rank(context) }))
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .map(({ context }) => context);
}

export function current(view: View): ContextView | null {
  const name = view.kubeconfig?.current ?? null;
  return view.kubeconfig?.contexts.find((context) => context.name === name) ?? null;
}

export function accountOf(view: View, context: ContextView): AccountView | null {
  return view.accounts.find((account) => account.id === context.account) ?? null;
}

/** A name that was cleaned on its way here: the file has another one. */
export function isCleaned(name: string): boolean {
  return name.includes("\ufffd");
}
