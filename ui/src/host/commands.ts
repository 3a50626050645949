// The commands that the window sends. Their form is Rust's (`broker/src/command.rs`).

import type { Answer, Command, KeepFresh, Language } from "../contract";

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

/** None: the desktop's own. */
export const chooseLanguage = (language: Language | null): Command => ({
  do: "choose",
  choice: { setting: "language", language },
});
