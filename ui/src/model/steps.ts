// What became of a sign-out, in sentences.

import type { ProblemView, StepView } from "../contract";
import { say } from "../say.svelte";

/** Each step's sentence; of the provider's own session as a terminal says it. */
export function sentences(revocation: StepView | null, session: StepView | null): string[] {
  return [
    ...(revocation === null ? [] : [say(`window.revocation.${revocation.is}`)]),
    ...(session === null ? [] : [say(`terminal.provider-session.${session.is}`).trim()]),
  ];
}

/** Why a step failed, if one did. */
export function failure(...steps: (StepView | null)[]): ProblemView | undefined {
  for (const step of steps) if (step?.is === "failed") return step.problem;
  return undefined;
}
