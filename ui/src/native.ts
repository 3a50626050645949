// What a page in a browser does, and a window does not.

export function behaveAsWindow(): void {
  // A menu of the browser's, but for text that can be copied or typed.
  document.addEventListener("contextmenu", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    const typed = at?.closest("input, textarea") != null;
    if (!typed && String(document.getSelection()) === "") event.preventDefault();
  });
  // Links are buttons here: nobody drags them away, or anything onto them.
  for (const name of ["dragstart", "dragover", "drop"]) {
    document.addEventListener(name, (event) => event.preventDefault());
  }
}
