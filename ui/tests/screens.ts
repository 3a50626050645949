// Every screen, dialog and state that a person can see, and how it is come by.

import type { Page } from "playwright-core";

export type Size = { width: number; height: number };

export interface Seen {
  name: string;
  page: "index" | "consent" | "gallery";
  view: string;
  hash?: string;
  query?: string;
  size: Size;
  act?: (page: Page) => Promise<void>;
}

export const WINDOW: Size = { width: 860, height: 560 };
/** The smallest that each window may be. */
export const SMALLEST = {
  index: { width: 560, height: 420 },
  consent: { width: 420, height: 280 },
};
/** The window of a question is as high as it is, up to here. */
const CONSENT: Size = { width: 520, height: 700 };

function screen(name: string, view: string, more: Partial<Seen> = {}): Seen {
  return { name, page: "index", view, size: WINDOW, ...more };
}

function consent(name: string, view: string): Seen {
  const act = async (page: Page): Promise<void> => {
    const height = await page.evaluate(() => globalThis.demo.height);
    await page.setViewportSize({ ...CONSENT, height: Math.min(height, CONSENT.height) });
    await page.waitForSelector("button:not([aria-disabled=true])");
  };
  return { name, page: "consent", view, size: CONSENT, act };
}

const menu = async (page: Page): Promise<void> => {
  await page.locator("[aria-haspopup=menu]").first().click();
};

/** The dialog of an account to be added, its provider asked. */
const adding = async (page: Page): Promise<void> => {
  await page.locator("[data-do=add-account]").click();
  await page.locator("[name=issuer]").fill("https://sso.example.com/realms/r");
  await page.locator("[name=client]").fill("kubernetes");
  await page.locator("[name=secret]").fill("a-client-s-secret");
  await page.locator(".remark .icon").waitFor();
};

const chosen = async (page: Page, item: number): Promise<void> => {
  await menu(page);
  await page.locator("[role=menuitem]").nth(item).click();
};

export const SCREENS: Seen[] = [
  screen("accounts", "three"),
  screen("accounts-states", "states", { size: { width: 860, height: 800 } }),
  screen("accounts-signed-out", "signed-out"),
  screen("accounts-signing-in", "signing-in"),
  screen("accounts-empty", "empty"),
  screen("first", "first"),
  screen("first-others", "others"),
  screen("accounts-others", "card-others"),
  screen("plugin", "others", { act: (page) => page.locator("[data-do=plugin]").click() }),
  screen("rename", "one", { act: (page) => chosen(page, 3) }),
  screen("remove", "one", { act: (page) => chosen(page, 5) }),
  screen("accounts-found", "found"),
  screen("add", "three", { act: adding }),
  screen("add-refused", "three", { query: "refuses=1", act: adding }),
  screen("add-more", "empty", {
    size: { width: 860, height: 720 },
    act: async (page) => {
      await page.locator("[data-do=add-account]").click();
      await page.locator("summary").click();
    },
  }),
  screen("added", "three", {
    size: { width: 860, height: 720 },
    act: async (page) => {
      await adding(page);
      await page.locator("[data-do=add]").click();
      await page.locator("[data-part=yaml]").waitFor();
    },
  }),
  screen("accounts-question", "question"),
  screen("accounts-memory", "memory"),
  screen("accounts-long", "long", { size: { width: 860, height: 800 } }),
  screen("accounts-menu", "three", { act: menu }),
  screen("accounts-details", "three", {
    act: (page) => page.getByRole("button", { name: /^(Details|자세히)$/ }).click(),
  }),
  screen("accounts-everywhere", "one", {
    act: async (page) => {
      await menu(page);
      await page.locator("[role=menuitem]").nth(1).click();
    },
  }),
  screen("contexts", "three", { hash: "contexts" }),
  screen("contexts-files", "files", { hash: "contexts", size: { width: 860, height: 680 } }),
  screen("contexts-empty", "empty", { hash: "contexts" }),
  screen("contexts-long", "long", { hash: "contexts" }),
  screen("contexts-switched", "three", {
    hash: "contexts",
    act: (page) => page.locator("[data-row]").nth(1).click(),
  }),
  screen("contexts-refused", "three", {
    hash: "contexts",
    query: "refuses=1",
    act: (page) => page.locator("[data-row]").nth(1).click(),
  }),
  screen("contexts-not-found", "three", {
    hash: "contexts",
    act: (page) => page.locator("[role=searchbox]").fill("nowhere"),
  }),
  screen("trusted", "three", { hash: "trusted" }),
  screen("trusted-empty", "empty", { hash: "trusted" }),
  screen("trusted-long", "long", { hash: "trusted" }),
  screen("settings", "three", { hash: "settings" }),
  screen("settings-memory", "memory", { hash: "settings" }),
  screen("loading", "three", { query: "link=waiting" }),
  screen("failed", "three", { query: "link=failed" }),
  screen("gone", "three", { query: "link=gone" }),
  consent("consent", "consent"),
  consent("consent-wary", "wary"),
  consent("consent-unseen", "unseen"),
  consent("consent-several", "several"),
  consent("consent-long", "long"),
  {
    ...consent("consent-answered", "one"),
    size: { ...CONSENT, height: 320 },
    act: async () => undefined,
  },
  { name: "pieces", page: "gallery", view: "three", size: { width: 860, height: 1500 } },
];

export function address(
  seen: Seen,
  language: "en" | "ko",
  theme: "light" | "dark" = "light",
): string {
  const query = `view=${seen.view}&lang=${language}&theme=${theme}`;
  const more = seen.query === undefined ? "" : `&${seen.query}`;
  const hash = seen.hash === undefined ? "" : `#${seen.hash}`;
  return `${seen.page}.html?${query}${more}${hash}`;
}
