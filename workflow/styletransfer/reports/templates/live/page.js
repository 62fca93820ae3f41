"use strict";
// The page is rewritten every few seconds; so it reloads itself, unless it is asked not to.
const every = Number(document.body.dataset.refresh) * 1000;
const box = document.getElementById("refresh");
const note = document.getElementById("age");
if (box) {
  box.checked = location.hash !== "#still";
  box.addEventListener("change", () => history.replaceState(null, "", box.checked ? "#" : "#still"));
  setInterval(() => {
    const seconds = Date.now() / 1000 - Number(document.body.dataset.written);
    note.hidden = seconds * 1000 < 4 * every + 10000;
    note.textContent = `Nothing has written this page for ${Math.round(seconds / 60) || "less than 1"} min: watch.py was ended.`;
    if (box.checked) location.reload();
  }, every);
}
document.documentElement.dataset.ready = "";
