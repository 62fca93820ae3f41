// Favourites and ratings, and the ways to take them out of the browser.

const favouriteRuns = () =>
  marks.favourites.map((id) => runs.find((run) => run.id === id)).filter((run) => run !== undefined);

element("final-width").value = Math.max(1024, 2 * Math.max(...runs.map((run) => run.size[0])));
element("final-width").oninput = () => drawExports();

function drawExports() {
  const chosen = favouriteRuns().filter((run) => run.pair === state.pair);
  const field = element("final-width");
  const wrong = !field.validity.valid;
  const [width, preserve] = [Number(field.value), state.colors === "content"];
  const config = chosen.length ? favouritesConfig(pairByName.get(state.pair), chosen, width, preserve) : "";
  element("width-fault").hidden = !wrong;
  element("command").textContent = wrong ? "" : finalOf(current(), width, preserve);
  element("fragment").textContent = wrong ? "" : config || "Mark favourites with ☆, and their config stands here.";
  element("marks").textContent = marksText();
  for (const button of elements('[data-copy="command"], [data-copy="fragment"]')) button.disabled = wrong;
  element("save-config").disabled = wrong || !config;
}

view(["marks"], () => {
  const chosen = favouriteRuns();
  element("favourite-count").textContent = chosen.length ? `★ ${chosen.length}` : "";
  const inside = element("favourites").contains(document.activeElement);
  element("favourites").replaceChildren(...chosen.map((run) => tile(run, nameOf(run))));
  if (inside) element("favourites").querySelector("button")?.focus();
  element("storage-note").textContent = stored
    ? "Kept in this browser only: save them below to keep them for good."
    : "This browser denies storage to the page: favourites last until it is closed. Save them below.";
});
view(["run", "pair", "marks", "colors"], drawExports);

for (const button of elements("[data-save]")) {
  button.onclick = () => {
    const content = encodeURIComponent(element(button.dataset.save).textContent);
    const download = `${study.study}-${button.dataset.name}`;
    make("a", { download, href: `data:text/plain;charset=utf-8,${content}` }).click();
  };
}

async function copy(content, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(content);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => (button.textContent = label), 1500);
}

for (const button of elements("[data-copy]")) {
  button.onclick = () => copy(element(button.dataset.copy).textContent, button);
}
