// A host without a resident: scripted views in a plain browser, for tests, pictures and design. The
// address says which: `?view=three&lang=ko&theme=dark&link=waiting|gone`.

import type { Command, Language, ScreenName, Told, View } from "../contract";
import { isSituation, NOW, said, signingIn, stanzaOf, view } from "./demo/views";
import type { Heard, Host } from "./host";

const asked = new URLSearchParams(globalThis.location?.search ?? "");
const language: Language = asked.get("lang") === "ko" ? "ko" : "en";
const name = asked.get("view") ?? "three";

/** What a test looks at and pulls. */
export const demo: {
  sent: Command[];
  closed: boolean;
  /** How high the window is to be. */
  height: number;
  copied: string;
  /** The next command is refused. */
  refuses: boolean;
  show(change: (view: View) => void): void;
  gone(): void;
  back(): void;
  go(screen: ScreenName): void;
} = {
  sent: [],
  closed: false,
  height: 0,
  copied: "",
  refuses: asked.get("refuses") === "1",
  show(change) {
    change(shown);
    heard?.view(structuredClone(shown));
  },
  gone: () => heard?.gone(),
  back: () => heard?.back(),
  go: (screen) => heard?.go(screen),
};

const shown: View = view(isSituation(name) ? name : "three", language);
let heard: Heard | undefined;

const asks = asked.get("theme");
if (asks === "light" || asks === "dark") shown.theme = asks;
Object.assign(globalThis, { demo });

export const host: Host = {
  listen(wants) {
    heard = wants;
    switch (asked.get("link")) {
      case "waiting":
        break;
      case "failed":
        heard.gone();
        break;
      case "gone":
        heard.view(shown);
        heard.gone();
        break;
      default:
        heard.view(structuredClone(shown));
    }
    return Promise.resolve();
  },
  send(command) {
    demo.sent.push(command);
    const words = said(language);
    if (demo.refuses) {
      const problem =
        command.do === "discover"
          ? { code: "wrong-issuer" as const, message: words.wrong, hint: words.wrongHint }
          : { code: "kubeconfig-locked" as const, message: words.locked, hint: words.lockedHint };
      return Promise.resolve<Told>({ is: "refused", problem });
    }
    return Promise.resolve(done(command));
  },
  copy(text) {
    demo.copied = text;
    return Promise.resolve();
  },
  fit: (height) => (demo.height = height),
  close: () => (demo.closed = true),
  now: () => NOW,
};

/** What a resident would do at once. */
function done(command: Command): Told {
  const before = [...shown.accounts];
  demo.show((view) => {
    const of = (id: string | null) => view.accounts.filter((account) => account.id === id);
    switch (command.do) {
      case "sign-in":
        for (const account of of(command.account)) {
          account.state = "signing-in";
          account.problem = null;
        }
        for (const { id, issuer, client_id } of view.found.filter(
          ({ id }) => id === command.account,
        )) {
          view.accounts.push(signingIn(id, issuer, client_id));
        }
        view.found = view.found.filter(({ id }) => id !== command.account);
        break;
      case "cancel":
        for (const account of of(command.account)) account.state = "needs-you";
        break;
      case "sign-out":
        for (const account of of(command.account)) account.state = "signed-out";
        break;
      case "answer":
      case "leave":
        view.questions = view.questions.filter(({ name }) => name !== command.question);
        break;
      case "untrust":
        view.trusts = view.trusts.filter(({ name }) => name !== command.name);
        break;
      case "use":
        for (const file of [view.kubeconfig, ...view.files])
          if (file?.path === command.kubeconfig) file.current = command.context;
        break;
      case "choose":
        switch (command.choice.setting) {
          case "keep-fresh":
            view.keep_fresh = command.choice.when;
            break;
          case "autostart":
            view.autostart = command.choice.on;
            break;
          case "theme":
            view.theme = command.choice.theme;
            break;
          case "language":
            view.chosen_language = command.choice.language;
            view.language = command.choice.language ?? "en";
        }
        break;
      case "add": {
        const { issuer, client_id, label } = command;
        if (view.accounts.some((account) => account.issuer === issuer)) break;
        const account = signingIn(`added-${issuer}`, issuer, client_id);
        view.accounts.push({ ...account, label: label ?? account.label });
        break;
      }
      case "remove":
        view.accounts = view.accounts.filter(({ id }) => id !== command.account);
        break;
      case "try-now":
        for (const account of of(command.account)) account.state = "renewing";
        break;
      case "rename":
        for (const account of of(command.account)) account.label = command.label;
        break;
      case "renew":
        for (const account of of(command.account)) account.obtained = NOW;
        break;
      case "ask":
      case "discover":
      case "open":
      case "stanza":
        break;
    }
  });
  if (command.do === "discover") {
    return { is: "provider", pkce: true, revocation: true, end_session: true };
  }
  if (command.do === "add") {
    const known = before.find(({ issuer }) => issuer === command.issuer);
    const account = known ?? shown.accounts.at(-1);
    if (account === undefined) return { is: "done" };
    return {
      is: "added",
      account: account.id,
      known: known !== undefined,
      stanza: stanzaOf(account),
    };
  }
  if (command.do === "sign-out" && command.everywhere) {
    return { is: "signed-out", revocation: { is: "done" }, provider_session: { is: "done" } };
  }
  if (command.do === "remove") {
    return { is: "removed", contexts: ["kubernetes"], revocation: { is: "done" } };
  }
  if (command.do === "stanza") {
    const account = shown.accounts.find(({ id }) => id === command.account);
    return account === undefined ? { is: "done" } : { is: "stanza", stanza: stanzaOf(account) };
  }
  const wantsLink = command.do === "sign-in" && !command.open_browser;
  return wantsLink ? { is: "link", url: "http://localhost:8000/start/demo" } : { is: "done" };
}
