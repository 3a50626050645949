// Every path by keyboard alone. Each begins where a person begins: with nothing in focus.

import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";

import { PAUSE } from "../src/model/question";
import { useBrowser, withPage } from "./browser";

useBrowser();

type Sent = typeof globalThis.demo.sent;

function path(name: string, at: string, walk: (page: Page) => Promise<void>): void {
  test(name, () => withPage(at, { still: at.startsWith("consent") }, walk));
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

const sent = (page: Page): Promise<Sent> => page.evaluate(() => globalThis.demo.sent);

/** What has the focus, as a screen reader would name it. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const at = document.activeElement;
    const name = at?.getAttribute("aria-label") ?? at?.textContent ?? "";
    return name.replace(/\s+/g, " ").trim();
  });

const isOpen = (page: Page, what: string): Promise<boolean> => page.locator(what).isVisible();

describe.concurrent("by keyboard", () => {
  path(
    "Tab goes as one reads, and where it is can be seen",
    "index.html?view=three",
    async (page) => {
      const seen: string[] = [];
      for (;;) {
        await press(page, "Tab");
        if (await page.evaluate(() => document.activeElement === document.body)) break;
        seen.push(await focused(page));
        const outline = await page.evaluate(() => {
          const style = getComputedStyle(document.activeElement ?? document.body);
          return `${style.outlineStyle} ${style.outlineWidth}`;
        });
        expect(outline, seen.at(-1)).toBe("solid 2px");
      }
      expect(seen).toEqual([
        "Accounts 1 1 needs you",
        "Contexts",
        "Trusted",
        "Settings",
        "Add account…",
        "j.park, Needs you",
        "Sign in: j.park",
        "More for j.park",
        "Details",
        "More for test",
        "Try now: ops@branch",
        "More for ops@branch",
      ]);
    },
  );

  path("Ctrl and a number go to the screens", "index.html?view=three", async (page) => {
    const heading = page.getByRole("heading", { level: 1 });
    for (const [key, name] of [
      ["2", "Contexts"],
      ["3", "Trusted"],
      [",", "Settings"],
      ["1", "Accounts"],
    ]) {
      await press(page, `Control+${key}`);
      await heading.filter({ hasText: name }).waitFor();
    }
  });

  for (const view of ["consent", "wary", "several"]) {
    path(`consent: as high as its content: ${view}`, `consent.html?view=${view}`, async (page) => {
      const height = await page.evaluate(() => globalThis.demo.height);
      await page.setViewportSize({ width: 860, height });
      await page.getByText("There is more to read").waitFor({ state: "detached" });
      const [all, gap] = await page.evaluate(() => {
        const box = (at: string) => document.querySelector(at)?.getBoundingClientRect();
        const gap = (box("form footer")?.top ?? 0) - (box("form .end")?.bottom ?? 0);
        return [document.documentElement.scrollHeight, gap];
      });
      expect(all).toBe(height);
      expect(gap).toBe(12);
    });
  }

  path("a screen that was chosen in the tray", "index.html?view=three", async (page) => {
    await page.evaluate(() => globalThis.demo.go("settings"));
    await page.getByRole("heading", { level: 1 }).filter({ hasText: "Settings" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.matches("h1"));
  });

  path(
    "a card: Enter signs in, and the focus stays with it",
    "index.html?view=three",
    async (page) => {
      await press(page, "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "ArrowDown", "ArrowUp", "Enter");
      expect(await sent(page)).toEqual([
        { do: "sign-in", account: "login.acme.example", open_browser: true },
      ]);
      await page.getByRole("button", { name: "Copy link" }).waitFor();
      await press(page, "Tab");
      expect(await focused(page)).toBe("More for j.park");
      await press(page, "Tab", "Tab", "Tab");
      expect(await focused(page)).toBe("Cancel");
      await press(page, "Enter");
      expect((await sent(page)).at(-1)).toEqual({ do: "cancel", account: "login.acme.example" });
      await page.waitForFunction(() => document.activeElement?.matches("[data-row]"));
    },
  );

  path("a card's menu: sign out everywhere, asked twice", "index.html?view=one", async (page) => {
    await page.getByRole("listitem").filter({ hasText: "test" }).focus();
    await press(page, "Shift+F10");
    expect(await focused(page)).toBe("Sign out");
    await press(page, "Escape");
    expect(await isOpen(page, "[role=menu]")).toBe(false);
    await press(page, "Shift+F10", "ArrowDown", "Enter");
    expect(await isOpen(page, "dialog")).toBe(true);
    await press(page, "Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await sent(page)).toEqual([]);
    await press(page, "Enter", "ArrowDown", "Enter", "Tab", "Enter");
    expect(await sent(page)).toEqual([
      { do: "sign-out", account: "sso.ddanzit.example", everywhere: true },
    ]);
  });

  path(
    "an account is added, and its secret stays nowhere",
    "index.html?view=empty",
    async (page) => {
      await press(page, "Control+n");
      // At once, as from the clipboard: who pauses between letters is asked for what stands there so far.
      await page.keyboard.insertText("https://sso.example.com/realms/r");
      await press(page, "Tab");
      await page.keyboard.type("kubernetes");
      await press(page, "Tab");
      await page.keyboard.type("typed-secret");
      await press(page, "Enter");
      await page.locator("[data-part=command]").waitFor();
      const commands = (await sent(page)).map((command) => command.do);
      expect(commands).toEqual(["discover", "add"]);
      expect((await sent(page)).at(-1)).toMatchObject({
        client_secret: "typed-secret",
        label: null,
      });
      const everything = await page.evaluate(() => {
        const typed = [...document.querySelectorAll("input")].map((input) => input.value);
        return document.documentElement.outerHTML + typed.join() + JSON.stringify(localStorage);
      });
      expect(everything).not.toContain("typed-secret");
      await press(page, "Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      await page.getByRole("listitem").filter({ hasText: "sso.example.com" }).waitFor();
    },
  );

  path("an account that is there already is gone to", "index.html?view=three", async (page) => {
    await press(page, "Control+n");
    await page.keyboard.type("https://sso.ddanzit.example/realms/ddanzit");
    await press(page, "Tab");
    await page.keyboard.type("kubernetes-client");
    await press(page, "Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.matches("[data-account]"));
    expect(await focused(page)).toBe("test, Signed in");
  });

  path(
    "the first start: one key signs in, the arrows move",
    "index.html?view=others",
    async (page) => {
      await press(page, "Tab", "Tab", "Tab", "Tab", "Tab");
      expect(await focused(page)).toBe("Sign in: sso.ddanzit.example / ddanzit");
      await press(page, "ArrowDown");
      expect(await focused(page)).toBe("Sign in: login.acme.example");
      await press(page, "Tab", "Enter");
      await page.locator("[data-part=remedy]").waitFor();
      await press(page, "Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      await press(page, "Shift+Tab", "Enter");
      expect(await sent(page)).toEqual([{ do: "sign-in", account: "f1", open_browser: true }]);
    },
  );

  path("renamed and removed from its menu", "index.html?view=one", async (page) => {
    const card = page.getByRole("listitem").filter({ hasText: "test" });
    await card.focus();
    await press(page, "Shift+F10", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter");
    await page.locator("[name=label]").waitFor();
    await page.keyboard.type("work");
    await press(page, "Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await card.focus();
    await press(page, "Shift+F10", "End", "Enter", "Tab", "Enter");
    expect(await sent(page)).toEqual([
      { do: "rename", account: "sso.ddanzit.example", label: "work" },
      { do: "remove", account: "sso.ddanzit.example" },
    ]);
  });

  path("renewed from its menu", "index.html?view=one", async (page) => {
    await page.getByRole("listitem").filter({ hasText: "test" }).focus();
    await press(page, "Shift+F10", "ArrowDown", "ArrowDown", "Enter");
    expect(await sent(page)).toEqual([{ do: "renew", account: "sso.ddanzit.example" }]);
  });

  path("details: copied, and closed by Esc", "index.html?view=three", async (page) => {
    await page.getByRole("button", { name: "Details", exact: true }).focus();
    await press(page, "Enter");
    expect(await isOpen(page, "dialog")).toBe(true);
    await press(page, "Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("Details");
    await press(page, "Enter", "Enter");
    const copied = await page.evaluate(() => globalThis.demo.copied);
    expect(copied).toContain("Code: session-ended");
  });

  path("contexts: found, switched, undone", "index.html?view=three", async (page) => {
    await press(page, "Control+k");
    await page.keyboard.type("acme");
    await press(page, "ArrowDown");
    expect(await focused(page)).toContain("acme-eu-1");
    await press(page, "Enter");
    const file = "/home/you/.kube/config";
    expect(await sent(page)).toEqual([{ do: "use", context: "acme-eu-1", kubeconfig: file }]);
    await page.getByRole("button", { name: "Undo" }).focus();
    await press(page, "Enter");
    expect((await sent(page)).at(-1)).toEqual({
      do: "use",
      context: "kubernetes",
      kubeconfig: file,
    });
    await press(page, "Control+k", "Escape");
    expect(await page.getByRole("searchbox").inputValue()).toBe("");
  });

  path(
    "contexts: arrows move, and switch nothing",
    "index.html?view=three#contexts",
    async (page) => {
      await page.locator("[data-row][tabindex='0']").focus();
      await press(page, "End", "Home", "ArrowDown");
      expect(await focused(page)).toContain("staging");
      expect(await sent(page)).toEqual([]);
      await press(page, "Shift+F10", "ArrowDown", "Enter");
      expect(await page.evaluate(() => globalThis.demo.copied)).toBe("staging");
    },
  );

  path(
    "a switch that is refused says why",
    "index.html?view=three&refuses=1#contexts",
    async (page) => {
      await page.locator("[data-row]").nth(1).focus();
      await press(page, "Enter");
      await page.getByText("Another program is changing the kubeconfig").first().waitFor();
      await page.getByRole("button", { name: "Details" }).focus();
      await press(page, "Enter");
      await page.getByText("kubeconfig-locked").waitFor();
    },
  );

  path(
    "trusted: Delete revokes, and the next has the focus",
    "index.html?view=three#trusted",
    async (page) => {
      await page.locator("[data-row]").first().focus();
      await press(page, "ArrowDown", "Delete");
      expect(await sent(page)).toEqual([{ do: "untrust", name: "90d2be11" }]);
      await page.waitForFunction(() => document.activeElement?.textContent?.includes("eu1"));
      await press(page, "Enter", "Enter");
      expect((await sent(page)).at(-1)).toEqual({ do: "untrust", name: "7bb05d3a" });
    },
  );

  path("settings: the theme", "index.html?view=three#settings", async (page) => {
    await page.getByRole("radio", { name: "Light" }).focus();
    await press(page, "ArrowRight");
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  });

  path("settings: the language, at once", "index.html?view=three#settings", async (page) => {
    await page.getByRole("radio", { name: "English" }).focus();
    await press(page, "ArrowRight");
    const choice = { setting: "language", language: "ko" };
    expect(await sent(page)).toEqual([{ do: "choose", choice }]);
    await page.getByRole("heading", { level: 1, name: "설정" }).waitFor();
    await page.getByRole("radio", { name: "항상" }).focus();
    await press(page, "ArrowRight");
    expect((await sent(page)).at(-1)).toEqual({
      do: "choose",
      choice: { setting: "keep-fresh", when: "while-in-use" },
    });
  });

  path("what changes by itself is said", "index.html?view=one", async (page) => {
    const said = page.locator("[aria-live=polite]");
    expect(await said.count()).toBe(1);
    await page.evaluate(() =>
      globalThis.demo.show((view) => {
        for (const account of view.accounts) account.state = "cannot-reach";
      }),
    );
    await said.filter({ hasText: "test: Can't reach the provider" }).waitFor();
    await page.evaluate(() => globalThis.demo.gone());
    await said.filter({ hasText: "Kubefob is not running" }).waitFor();
    await page.evaluate(() => globalThis.demo.back());
    await said.filter({ hasText: "Kubefob is running again" }).waitFor();
  });

  path("Ctrl+W closes the window", "index.html?view=one", async (page) => {
    await press(page, "Control+w");
    expect(await page.evaluate(() => globalThis.demo.closed)).toBe(true);
  });

  path(
    "consent: who was typing has answered nothing",
    "consent.html?view=consent",
    async (page) => {
      const nobody = async () => expect(await sent(page)).toEqual([]);
      const title = "Let test sign in to a new server?";
      expect(await focused(page)).toBe(title);
      await page.clock.runFor(PAUSE);
      // Whatever was meant for a command line; and where it is, Enter is no answer at any time.
      await page.keyboard.type("kubectl get ns");
      await press(page, "Enter", "Space");
      await page.clock.runFor(PAUSE);
      await press(page, "Enter");
      expect(await focused(page)).toBe(title);
      // A name that was to be completed, and Enter.
      await press(page, "Tab", "Tab", "Tab");
      expect(await focused(page)).toBe("Always");
      await page.clock.runFor(PAUSE - 1);
      for (const key of ["Enter", "Space", "Shift", "ArrowDown", "x"]) {
        await press(page, key);
        await page.clock.runFor(PAUSE - 1);
      }
      await page.getByRole("button", { name: "Always" }).dispatchEvent("click");
      await nobody();
      // Kept pressed from before, and let go long after; and kept pressed from when it was too early on.
      await page.keyboard.down("Space");
      await page.clock.runFor(PAUSE);
      await page.keyboard.up("Space");
      await nobody();
      await press(page, "x");
      await page.keyboard.down("Enter");
      await page.clock.runFor(PAUSE);
      await page.keyboard.down("Enter");
      await page.keyboard.up("Enter");
      await nobody();
      // Whoever comes back to the window, or is shown other words, has it to read anew.
      await page.clock.runFor(PAUSE);
      await page.evaluate(() => dispatchEvent(new Event("focus")));
      await press(page, "Enter");
      await nobody();
      await page.clock.runFor(PAUSE);
      await page.evaluate(() =>
        globalThis.demo.show((view) => {
          for (const question of view.questions) question.asker = "k9s";
        }),
      );
      await page.getByText("k9s").waitFor();
      await press(page, "Enter");
      await nobody();
      await page.clock.runFor(PAUSE);
      // And then a single key is enough.
      await press(page, "Enter");
      const answer = { do: "answer", question: "b7c2", answer: "always", others: [] };
      expect(await sent(page)).toEqual([answer]);
      await page.waitForFunction(() => globalThis.demo.closed);
    },
  );

  path("consent: a no by keyboard alone", "consent.html?view=wary", async (page) => {
    expect(await focused(page)).toBe("Let test sign in to a new server?");
    await press(page, "Tab");
    expect(await focused(page)).toBe("Don’t allow");
    await page.clock.runFor(PAUSE);
    await press(page, "Enter");
    const answer = { do: "answer", question: "b7c2", answer: "no", others: [] };
    expect(await sent(page)).toEqual([answer]);
  });

  path("consent: another server ticked, once", "consent.html?view=several", async (page) => {
    await press(page, "Tab", "Tab", "Space", "Tab", "Tab");
    await page.clock.runFor(PAUSE);
    await press(page, "Space");
    const answer = { do: "answer", question: "b7c2", answer: "once", others: [1] };
    expect(await sent(page)).toEqual([answer]);
  });

  path(
    "consent: what was not seen to its end is not allowed",
    "consent.html?view=several",
    async (page) => {
      await page.setViewportSize({ width: 420, height: 420 });
      await page.reload();
      await page.getByRole("button", { name: "This command" }).focus();
      await page.clock.runFor(PAUSE);
      await press(page, "Enter");
      expect(await sent(page)).toEqual([]);
      await press(page, "PageDown", "PageDown", "PageDown");
      await page.getByText("There is more").waitFor({ state: "detached" });
      await page.clock.runFor(PAUSE);
      await press(page, "Enter");
      expect((await sent(page)).map((command) => command.do)).toEqual(["answer"]);
    },
  );

  path("consent: Esc leaves it unanswered", "consent.html?view=consent", async (page) => {
    await press(page, "Escape");
    expect(await sent(page)).toEqual([]);
    expect(await page.evaluate(() => globalThis.demo.closed)).toBe(true);
  });
});
