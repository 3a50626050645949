// What the window knows: the last view, whether the resident is there, and what was just said.

import { host } from "$host";

import type { Command, ProblemView, StanzaView, Told, View, Wall } from "./contract";
import { changes } from "./model/changes";
import { keepFocus } from "./roving";
import { language, say, speak } from "./say.svelte";
import { applyTheme } from "./theme.svelte";

export type Link = "waiting" | "live" | "gone";

export type Shown = {
  text: string;
  failed?: boolean;
  problem?: ProblemView | undefined;
  action?: { label: string; run: () => void } | undefined;
};

export const app: {
  view: View | null;
  link: Link;
  /** The context that was current before this one, as far as this window has seen. */
  previous: string | null;
  /** The clock at the last view: times on the screen stand still in between. */
  now: Wall;
  toast: Shown | null;
  /** What the live region says. */
  said: string;
  details: { problem: ProblemView | null; account?: string } | null;
  /** Whether an account is being added. */
  adding: boolean;
  /** How a kubeconfig uses an account, and whether that was just added. */
  using: { account: string; stanza: StanzaView; added: boolean } | null;
  /** Whether it is told how to change whose plugin answers kubectl. */
  plugin: boolean;
  /** The account that a person was brought to. */
  chosen: string | null;
} = $state({
  view: null,
  link: "waiting",
  previous: null,
  now: host.now(),
  toast: null,
  said: "",
  details: null,
  adding: false,
  using: null,
  plugin: false,
  chosen: null,
});

export async function begin(): Promise<void> {
  speak(language());
  document.addEventListener("visibilitychange", () => (app.now = host.now()));
  await host.listen({
    view(view) {
      if (app.view !== null) {
        const before = app.view.kubeconfig?.current ?? null;
        if (before !== (view.kubeconfig?.current ?? null)) app.previous = before;
        const said = changes($state.snapshot(app.view), view);
        if (said.length > 0) tell(said.join(". "));
      }
      speak(view.language);
      applyTheme(view.theme);
      void keepFocus(() => {
        app.now = host.now();
        app.view = view;
        app.link = "live";
      });
    },
    gone() {
      app.link = "gone";
      tell(say("window.gone"));
    },
    back() {
      app.link = app.view === null ? "waiting" : "live";
      tell(say("window.back"));
    },
    go(screen) {
      location.hash = screen;
    },
  });
}

/** Sends a command, and leaves it to the caller to show what came of it. */
export async function told(command: Command): Promise<Told | null> {
  try {
    return await host.send(command);
  } catch {
    show({ text: say("window.failed"), failed: true });
    return null;
  }
}

/** Sends a command; what is wrong is shown, and else `done`. */
export async function send(command: Command, done?: Shown): Promise<Told | null> {
  const said = await told(command);
  if (said === null) return null;
  if (said.is === "refused") {
    const problem = said.problem;
    show({ text: problem.message, failed: true, problem });
  } else if (done !== undefined) {
    show(done);
  }
  return said;
}

export async function copy(text: string, said = say("window.copied")): Promise<void> {
  try {
    await host.copy(text);
    show({ text: said });
  } catch {
    show({ text: say("window.not-copied"), failed: true });
  }
}

export function close(): void {
  host.close();
}

export function fit(height: number): void {
  host.fit(height);
}

export function show(shown: Shown): void {
  app.toast = shown;
  tell(shown.text);
}

/** Through the one polite live region. */
export function tell(text: string): void {
  app.said = text;
}
