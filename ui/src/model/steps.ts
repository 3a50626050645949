// What became of a sign-out, in sentences.

import type { ProblemView, StepView } from "../contract";
import { type Key, say } from "../say.svelte";

/** Each step's sentence, as a terminal says it. */
export function sentences(revocation: StepView | null, session: StepView | null): string[] {
  const of = (step: StepView | null, what: "revocation" | "provider-session"): string[] =>
    step === null ? [] : [say(`terminal.${what}.${step.is}` as Key).trim()];
  return [...of(revocation, "revocation"), ...of(session, "provider-session")];
}

/** Why a step failed, if one did. */
export function failure(...steps: (StepView | null)[]): ProblemView | undefined {
  for (const step of steps) if (step?.is === "failed") return step.problem;
  return undefined;
}
