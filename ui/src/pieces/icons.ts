// The icons, one grid of 16 and one pen; their sources stand in `icons/ui`.

import accounts from "$icons/accounts.svg?raw";
import cannotReach from "$icons/cannot-reach.svg?raw";
import close from "$icons/close.svg?raw";
import contexts from "$icons/contexts.svg?raw";
import copy from "$icons/copy.svg?raw";
import done from "$icons/done.svg?raw";
import key from "$icons/key.svg?raw";
import keyOutline from "$icons/key-outline.svg?raw";
import lock from "$icons/lock.svg?raw";
import more from "$icons/more.svg?raw";
import needsYou from "$icons/needs-you.svg?raw";
import note from "$icons/note.svg?raw";
import refused from "$icons/refused.svg?raw";
import renewing from "$icons/renewing.svg?raw";
import search from "$icons/search.svg?raw";
import settings from "$icons/settings.svg?raw";
import signedIn from "$icons/signed-in.svg?raw";
import signedOut from "$icons/signed-out.svg?raw";
import signingIn from "$icons/signing-in.svg?raw";
import trusted from "$icons/trusted.svg?raw";
import unlock from "$icons/unlock.svg?raw";

export const ICONS = {
  accounts,
  "cannot-reach": cannotReach,
  close,
  contexts,
  copy,
  done,
  key,
  "key-outline": keyOutline,
  lock,
  more,
  "needs-you": needsYou,
  note,
  refused,
  renewing,
  search,
  settings,
  "signed-in": signedIn,
  "signed-out": signedOut,
  "signing-in": signingIn,
  trusted,
  unlock,
};

export type IconName = keyof typeof ICONS;
