// One table for what a state looks like: its icon, its tone and its ring.

import type { AccountView, StateWord, Wall } from "../contract";
import type { IconName } from "../pieces/icons";

/** Colour appears where a person has something to do, or all is well; never alone. */
export type Tone = "calm" | "well" | "warn" | "fail";

/** The ring round an account's initials; it stands still between two views. */
export type RingShape =
  { kind: "part"; of: number } | { kind: "dots" } | { kind: "mark" } | { kind: "none" };

const STATES: Record<StateWord, { icon: IconName; tone: Tone }> = {
  "signed-out": { icon: "signed-out", tone: "calm" },
  "signing-in": { icon: "signing-in", tone: "calm" },
  "signed-in": { icon: "signed-in", tone: "well" },
  renewing: { icon: "renewing", tone: "calm" },
  "cannot-reach": { icon: "cannot-reach", tone: "calm" },
  "needs-you": { icon: "needs-you", tone: "warn" },
  refused: { icon: "refused", tone: "fail" },
};

export function look(state: StateWord): { icon: IconName; tone: Tone } {
  return STATES[state];
}

export function needsAPerson(state: StateWord): boolean {
  return state === "needs-you" || state === "refused";
}

export function ring(account: AccountView, now: Wall): RingShape {
  switch (account.state) {
    case "signed-out":
      return { kind: "none" };
    case "signing-in":
    case "renewing":
      return { kind: "dots" };
    case "needs-you":
    case "refused":
      return { kind: "mark" };
    case "signed-in":
      // What renews by itself has no end to draw.
      if (account.renews || account.expires === null) return { kind: "part", of: 1 };
      return part(account.expires - now, account.expires - (account.obtained ?? now));
    case "cannot-reach":
      return part(
        (account.expires ?? now) - now,
        (account.expires ?? now) - (account.obtained ?? now),
      );
  }
}

function part(left: number, whole: number): RingShape {
  if (whole <= 0 || left <= 0) return { kind: "mark" };
  return { kind: "part", of: Math.min(1, left / whole) };
}
