// What decides how a question of trust is shown.

import type { QuestionView } from "../contract";
import { issuerText } from "./account";

/** How long it must have been in sight, and no key pressed, before an answer counts, in milliseconds. */
export const PAUSE = 1000;

export function isWary(question: QuestionView): boolean {
  return question.changes.length > 0 || question.servers.some((line) => line.wary.length > 0);
}

/** Behind a person's name: which of their accounts it is, as far as its place does not say that, and where. */
export function accountText({ account, who, issuer }: QuestionView): string {
  const place = issuerText(issuer);
  const isPlace = place === account || place.startsWith(`${account} / `);
  return who === null || who === account || isPlace ? place : `${account} · ${place}`;
}

/** Whether this key presses a button that has the focus. */
export function isPress(key: string): boolean {
  return key === "Enter" || key === " ";
}
