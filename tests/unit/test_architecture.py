"""The house stands: a module imports only from floors below, and the engine knows no workflow."""

import ast
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "workflow/scripts/styletransfer"
FLOORS = [
    {"errors"},
    {"files", "settings"},
    {"downloads", "devices", "images", "paintings"},
    {"weights"},
    {"vgg"},
    {"losses"},
    {"optimize"},
    {"trace"},
    {"transfer"},
    {"study"},
    {"tables", "figures"},
]
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}


@pytest.mark.parametrize("path", sorted(ENGINE.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_imports_go_down(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names] if node.module == "styletransfer" else [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            assert not name.startswith("snakemake")
            module = name.removeprefix("styletransfer.")
            if module in FLOOR:
                assert FLOOR[module] < FLOOR[path.stem], f"{path.stem} imports {module}"
