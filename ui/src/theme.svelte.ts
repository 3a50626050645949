// Light, dark, or as the desktop has it. It is a setting like others, and comes with the view.

import type { Theme } from "./contract";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];

export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
}
