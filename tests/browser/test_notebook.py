"""The notebook runs to its end on the same real study, and its sliders are really moved."""

import json

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from helpers.workflow import ROOT

NOTEBOOK = ROOT / "workflow/notebooks/explore.ipynb"


@pytest.fixture
def run(studies, monkeypatch):
    """Run the notebook for a study, and then more lines in the same kernel; gives what those print."""

    def start(study, lines):
        monkeypatch.setenv("STUDY", study)
        monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(lines))
        folder = studies / "results"
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
        return notebook, "".join(output.get("text", "") for output in notebook.cells[-1].outputs)

    return start


def test_it_runs_to_its_end_and_moves_through_a_star(run, studies):
    notebook, printed = run(
        "star",
        """
def tell():
    whole = view.picture.value == (ROOT / "results/runs" / view.run["run_id"] / "image.png").read_bytes()
    print(view.run["run_id"], whole, view.note.value, sep="|")

tell()
for name, value in [("style_weight", 500.0), ("style_scales", "2"), ("pair", "photograph x candy")]:
    slider = view.sliders[name]
    (slider.value,) = [known for _, known in slider.options if str(known) == str(value)]
    tell()
view.sliders["learning_rate"].value = 1e30
print(view.numbers.value.count("diverged"), {name: slider.value for name, slider in view.sliders.items()})
""",
    )
    runs = pd.read_parquet(studies / "results/studies/star/runs.parquet")
    ids = runs[~runs["is_default"] | (runs["parameter"] == "style_weight")].set_index(["pair", "parameter", "label"])
    glass, candy = "photograph x glass", "photograph x candy"
    *moves, last = printed.splitlines()
    rows = [
        (glass, "style_weight", "50"),
        (glass, "style_weight", "500"),
        (glass, "style_scales", "2"),
        (candy, "style_scales", "2"),
    ]
    assert [move.split("|")[0] for move in moves] == [ids.loc[row, "run_id"] for row in rows]
    assert {move.split("|")[1] for move in moves} == {"True"}
    assert [move.split("|")[2] for move in moves] == [
        "&nbsp;",
        "&nbsp;",
        "No run has this with the rest unchanged: style_weight is 50.0 now.",
        "&nbsp;",
    ]
    assert last.startswith("1 ")
    assert "'style_scales': '1'" in last
    assert '"image/png"' in json.dumps(notebook.metadata["widgets"]), "no curve was drawn"
    best = notebook.cells[5].outputs[0]["data"]["text/plain"]
    for pair in (glass, candy):
        rows = runs[
            (runs["pair"] == pair) & (runs["status"] == "ok") & (runs["style_scales"] == runs["style_scales"][0])
        ]
        assert rows.loc[rows["best_style_unweighted"].idxmin(), "label"] in best


def test_it_moves_through_a_grid(run, studies):
    _, printed = run(
        "grid",
        """
view.sliders["style_weight"].value, view.sliders["tv_weight"].value = 50.0, 1000.0
print(view.run["run_id"], view.note.value)
""",
    )
    runs = pd.read_parquet(studies / "results/studies/grid/runs.parquet").set_index(["style_weight", "tv_weight"])
    assert printed.split() == [runs.loc[(50, 1000), "run_id"], "&nbsp;"]


def test_it_is_kept_without_results():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
