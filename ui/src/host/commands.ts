// The commands that the window sends. Their form is Rust's (`broker/src/command.rs`).

import type { Add, Answer, Command, KeepFresh, Language, Theme } from "../contract";

export const signIn = (account: string): Command => ({
  do: "sign-in",
  account,
  open_browser: true,
});

/** A link of one's own to the sign-in that is under way. */
export const link = (account: string): Command => ({ do: "sign-in", account, open_browser: false });

export const cancel = (account: string): Command => ({ do: "cancel", account });

export const signOut = (account: string): Command => ({
  do: "sign-out",
  account,
  everywhere: false,
});

export const signOutEverywhere = (account: string): Command => ({
  do: "sign-out",
  account,
  everywhere: true,
});

export const ask = (question: string): Command => ({ do: "ask", question });

export const answer = (question: string, answer: Answer, others: number[]): Command => ({
  do: "answer",
  question,
  answer,
  others,
});

export const leave = (question: string): Command => ({ do: "leave", question });

export const untrust = (name: string): Command => ({ do: "untrust", name });

export const use = (context: string, kubeconfig: string): Command => ({
  do: "use",
  context,
  kubeconfig,
});

export const chooseKeepFresh = (when: KeepFresh): Command => ({
  do: "choose",
  choice: { setting: "keep-fresh", when },
});

export const discover = (issuer: string): Command => ({ do: "discover", issuer });

export const add = (account: Add): Command => ({ do: "add", ...account });

export const stanza = (account: string): Command => ({ do: "stanza", account });

export const rename = (account: string, label: string): Command => ({
  do: "rename",
  account,
  label,
});

export const remove = (account: string): Command => ({ do: "remove", account });

export const renew = (account: string): Command => ({ do: "renew", account });

export const tryNow = (account: string): Command => ({ do: "try-now", account });

export const chooseTheme = (theme: Theme): Command => ({
  do: "choose",
  choice: { setting: "theme", theme },
});

/** None: the desktop's own. */
export const chooseLanguage = (language: Language | null): Command => ({
  do: "choose",
  choice: { setting: "language", language },
});

export const chooseAutostart = (on: boolean): Command => ({
  do: "choose",
  choice: { setting: "autostart", on },
});
