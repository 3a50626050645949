import { expect, test } from "vitest";

import { moment } from "./time";

const NOW = Date.parse("2026-11-24T14:05:00");

test.each([
  ["2026-11-24T00:00:00", { day: "today", time: "00:00" }],
  ["2026-11-24T23:59:00", { day: "today", time: "23:59" }],
  ["2026-11-23T23:59:00", { day: "yesterday", time: "23:59" }],
  ["2026-11-25T09:00:00", { day: "tomorrow", time: "09:00" }],
  ["2026-11-20T08:30:00", { day: "other", time: "08:30", date: "Fri" }],
  ["2026-11-03T08:30:00", { day: "other", time: "08:30", date: "3 Nov" }],
  ["2025-12-31T08:30:00", { day: "other", time: "08:30", date: "31 Dec 2025" }],
])("%s is said so", (at, said) => {
  expect(moment(Date.parse(at), NOW, "en")).toEqual(said);
});

test("in Korean", () => {
  const said = moment(Date.parse("2026-11-03T08:30:00"), NOW, "ko");
  expect(said).toEqual({ day: "other", time: "08:30", date: "11월 3일" });
});
