// Favourites and ratings, and the ways to take them out of the browser.

const favouriteRuns = () =>
  marks.favourites.map((id) => runs.find((run) => run.id === id)).filter((run) => run !== undefined);
const finalWidth = () => Math.round(Number(element("final-width").value)) || current().size[0];

element("final-width").value = Math.max(1024, 2 * Math.max(...runs.map((run) => run.size[0])));
element("final-width").oninput = () => drawExports();

function drawExports() {
  const chosen = favouriteRuns().filter((run) => run.pair === state.pair);
  element("command").textContent = commandOf(current(), finalWidth(), state.colors === "content");
  element("fragment").textContent = chosen.length
    ? fragmentOf(pairByName.get(state.pair), chosen)
    : "Mark favourites with ☆, and their config stands here.";
  element("marks").textContent = marksText();
  element("save-config").disabled = !chosen.length;
}

view(["marks"], () => {
  const chosen = favouriteRuns();
  element("favourite-count").textContent = chosen.length ? `★ ${chosen.length}` : "";
  element("favourites").replaceChildren(...chosen.map((run) => tile(run, nameOf(run))));
  element("storage-note").textContent = stored
    ? "Kept in this browser only: save them below to keep them for good."
    : "This browser denies storage to the page: favourites last until it is closed. Save them below.";
});
view(["run", "pair", "marks", "colors"], drawExports);

function save(name, type, content) {
  const link = make("a", { download: name, href: `data:${type};charset=utf-8,${encodeURIComponent(content)}` });
  link.click();
}

element("save-marks").onclick = () =>
  save(`${study.study}-favourites.json`, "application/json", element("marks").textContent);
element("save-config").onclick = () =>
  save(`${study.study}-favourites.yaml`, "application/yaml", element("fragment").textContent);

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
