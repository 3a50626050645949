// Light, dark, or as the desktop has it. It is this window's own, and kept where it shows.

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "theme";

const chosen = $state<{ theme: Theme }>({ theme: kept() });

export function theme(): Theme {
  return chosen.theme;
}

export function chooseTheme(theme: Theme): void {
  chosen.theme = theme;
  localStorage.setItem(KEY, theme);
  applyTheme();
}

/** Called before anything is drawn, so that no light page flashes on a dark desktop. */
export function applyTheme(): void {
  const root = document.documentElement;
  if (chosen.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = chosen.theme;
}

function kept(): Theme {
  const theme = localStorage.getItem(KEY);
  return THEMES.find((known) => known === theme) ?? "system";
}
