// The page of a study at work is rewritten every few seconds; so it reloads itself, unless it is asked not to.

{
  const { refresh, written } = /** @type {HTMLElement} */ (document.querySelector("main")).dataset;
  const seconds = Number(refresh);
  const box = /** @type {HTMLInputElement | null} */ (document.getElementById("refresh"));
  const note = /** @type {HTMLElement} */ (document.getElementById("age"));
  if (box) {
    box.checked = location.hash !== "#still";
    box.addEventListener("change", () => history.replaceState(null, "", box.checked ? "#" : "#still"));
    setInterval(() => {
      const age = Date.now() / 1000 - Number(written);
      note.hidden = age < 4 * seconds + 10;
      const minutes = Math.round(age / 60) || "less than 1";
      note.textContent = `Nothing has written this page for ${minutes} min: no run is at work.`;
      if (box.checked) location.reload();
    }, seconds * 1000);
  }
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.ready = "true";
}
