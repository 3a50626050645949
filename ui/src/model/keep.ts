// Where tokens rest, as it looks.

import type { Keep } from "../contract";
import type { IconName } from "../pieces/icons";
import type { Tone } from "./state";

const KEEPS: Record<Keep, { icon: IconName; tone: Tone }> = {
  unknown: { icon: "lock", tone: "calm" },
  sealed: { icon: "lock", tone: "well" },
  plain: { icon: "unlock", tone: "warn" },
  "memory-locked": { icon: "needs-you", tone: "warn" },
  "memory-no-keyring": { icon: "needs-you", tone: "warn" },
  "memory-key-lost": { icon: "needs-you", tone: "warn" },
  "memory-no-disk": { icon: "needs-you", tone: "warn" },
};

export function keepLook(keep: Keep): { icon: IconName; tone: Tone } {
  return KEEPS[keep];
}
