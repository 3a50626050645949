// What nobody has signed in to yet: accounts of the first start, and what kubeconfigs offer besides.

import type {
  AccountView,
  ContextView,
  FoundView,
  KubeconfigView,
  PluginView,
  View,
} from "../contract";

/** A shown file set's contexts, whichever file they stand in. */
export function kubeconfigs(view: View): KubeconfigView[] {
  return view.kubeconfig === null ? view.files : [view.kubeconfig, ...view.files];
}

/** Whose plugin answers kubectl, where it is not ours and somebody calls it by that name. */
export function others(view: View, calls: (context: ContextView) => boolean): PluginView | null {
  const isCalled = kubeconfigs(view).some(({ contexts }) =>
    contexts.some((context) => context.kubelogin && calls(context)),
  );
  return isCalled && view.plugin !== null && view.plugin.is !== "ours" ? view.plugin : null;
}

export function contextsOf(view: View, account: string): string[] {
  return kubeconfigs(view).flatMap(({ contexts }) =>
    contexts.filter((context) => context.account === account).map(({ name }) => name),
  );
}

/** Whether a person has yet to sign in for the first time, and kubeconfigs say to what. */
export function isFirst(view: View): boolean {
  const untouched = (account: AccountView): boolean =>
    account.is_new && account.state === "signed-out" && contextsOf(view, account.id).length > 0;
  return view.accounts.every(untouched) && offers(view).length > 0;
}

/** Those accounts, and what is found, alike. */
export function offers(view: View): FoundView[] {
  return [...view.accounts.map((account) => offer(view, account)), ...view.found];
}

function offer(view: View, { id, issuer, client_id }: AccountView): FoundView {
  const files = kubeconfigs(view).filter(({ contexts }) =>
    contexts.some((context) => context.account === id),
  );
  return {
    id,
    issuer,
    client_id,
    contexts: contextsOf(view, id),
    files: files.map(({ file }) => file),
    kubelogin: files.some(({ contexts }) =>
      contexts.some((context) => context.account === id && context.kubelogin),
    ),
  };
}
