// The verdict: its pictures, which open their runs below.

for (const image of elements("#verdict img[data-input]")) image.src = study.pictures[image.dataset.input];
for (const image of elements("#verdict img[data-result]")) {
  const run = runs.find(({ id }) => id === image.dataset.result);
  if (!run) continue;
  image.src = run.picture;
  image.parentElement.onclick = (event) => {
    event.preventDefault();
    openRun(run);
    scrollToSection(element("explore"));
    element("stage-title").focus({ preventScroll: true });
  };
}
