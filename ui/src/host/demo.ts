// A host without a resident: scripted views in a plain browser, for tests, pictures and design. The
// address says which: `?view=three&lang=ko&theme=dark&link=waiting|gone`.

import type { Command, Language, Told, View } from "../contract";
import { isSituation, NOW, said, view } from "./demo/views";
import type { Heard, Host } from "./host";

const asked = new URLSearchParams(globalThis.location?.search ?? "");
const language: Language = asked.get("lang") === "ko" ? "ko" : "en";
const name = asked.get("view") ?? "three";

/** What a test looks at and pulls. */
export const demo: {
  sent: Command[];
  closed: boolean;
  copied: string;
  /** The next command is refused. */
  refuses: boolean;
  show(change: (view: View) => void): void;
  gone(): void;
  back(): void;
} = {
  sent: [],
  closed: false,
  copied: "",
  refuses: asked.get("refuses") === "1",
  show(change) {
    change(shown);
    heard?.view(structuredClone(shown));
  },
  gone: () => heard?.gone(),
  back: () => heard?.back(),
};

const shown: View = view(isSituation(name) ? name : "three", language);
let heard: Heard | undefined;

if (asked.has("theme")) localStorage.setItem("theme", asked.get("theme") ?? "system");
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
    if (demo.refuses) {
      const words = said(language);
      return Promise.resolve<Told>({
        is: "refused",
        problem: { code: "kubeconfig-locked", message: words.locked, hint: words.lockedHint },
      });
    }
    return Promise.resolve(done(command));
  },
  copy(text) {
    demo.copied = text;
    return Promise.resolve();
  },
  close: () => (demo.closed = true),
  now: () => NOW,
};

/** What a resident would do at once. */
function done(command: Command): Told {
  demo.show((view) => {
    const of = (id: string | null) => view.accounts.filter((account) => account.id === id);
    switch (command.do) {
      case "sign-in":
        for (const account of of(command.account)) {
          account.state = "signing-in";
          account.problem = null;
        }
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
        if (view.kubeconfig) view.kubeconfig.current = command.context;
        break;
      case "choose":
        if (command.choice.setting === "keep-fresh") view.keep_fresh = command.choice.when;
        else {
          view.chosen_language = command.choice.language;
          view.language = command.choice.language ?? "en";
        }
        break;
      case "ask":
      case "open":
        break;
    }
  });
  const wantsLink = command.do === "sign-in" && !command.open_browser;
  return wantsLink ? { is: "link", url: "http://localhost:8000/start/demo" } : { is: "done" };
}
