// Tells xtask what came of it: the form that the other sets leave in the file that KUBEFOB_RESULTS names.

import { writeFileSync } from "node:fs";
import type { Reporter, TestModule, Vitest } from "vitest/node";

export default class Results implements Reporter {
  /** Whether some tests were asked for by name: the others are no skips then. */
  private named = false;

  onInit(vitest: Vitest): void {
    this.named = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly { message: string }[]): void {
    const file = process.env.KUBEFOB_RESULTS;
    const failed = errors.map(({ message }) => ({ name: "vitest", why: message }));
    const skipped: string[] = [];
    let passed = 0;
    for (const module of modules) {
      for (const error of module.errors()) {
        failed.push({ name: module.relativeModuleId, why: error.message });
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed += 1;
        else if (result.state === "skipped") {
          if (!this.named) skipped.push(test.fullName);
        } else if (result.state === "failed") {
          const why = result.errors.map(({ message }) => message).join("\n");
          failed.push({ name: `${module.relativeModuleId} ${test.fullName}`, why });
        }
      }
    }
    if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
  }
}
