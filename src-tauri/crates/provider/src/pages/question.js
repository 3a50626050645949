"use strict";
// Nothing is answered within a second of any key, or of this page having come into sight: whoever was typing when it
// came up has read nothing (as in our own window, ui/src/screens/Question.svelte).
const PAUSE = 1000;
const form = document.querySelector("form");
const buttons = form.querySelectorAll("button");
let rested = false;
let timer;

function rest(done) {
  rested = done;
  for (const button of buttons) button.setAttribute("aria-disabled", String(!done));
}

function wait() {
  rest(false);
  clearTimeout(timer);
  timer = setTimeout(rest, PAUSE, true);
}

addEventListener("keydown", (event) => {
  const presses = (event.key === "Enter" || event.key === " ") && event.target.localName === "button";
  if (presses && rested && !event.repeat) return;
  // Pressed too early, a button is not let go later.
  if (presses) event.preventDefault();
  wait();
});
form.addEventListener("submit", (event) => {
  if (!rested) event.preventDefault();
});
addEventListener("focus", wait);
addEventListener("pageshow", wait);
document.addEventListener("visibilitychange", wait);
wait();
