"""The house stands: a module imports only from floors below, and the engine knows no workflow."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import styletransfer

ENGINE = Path(__file__).parents[2] / "workflow/scripts/styletransfer"
FLOORS = [
    {"errors"},
    {"files", "settings"},
    {"checkpoint", "documents", "downloads", "devices", "monitor", "images", "paintings"}
    | {"precision", "progress", "timeline", "ways", "weighting"},
    {"weights"},
    {"vgg", "winograd"},
    {"losses"},
    {"fast"},
    {"descent"},
    {"optimize"},
    {"trace"},
    {"run"},
    {"status"},
    {"transfer"},
    {"study"},
    {"tables", "manifest"},
    {"figures", "explorer", "crate", "live"},
    {"effects", "dashboard"},
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


def test_the_house_is_described():
    rooms = re.findall(r"\w+", styletransfer.__doc__)
    assert [module for module in FLOOR if module not in rooms] == []


def test_only_the_network_and_the_method_load_tensorflow():
    """Light rules run anywhere; on a node with GPUs TensorFlow would take their memory."""
    light = ", ".join(
        module
        for module in FLOOR
        if module not in ("vgg", "winograd", "losses", "fast", "descent", "optimize", "trace")
    )
    code = f"import sys; from styletransfer import {light}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ENGINE.parent, check=False).returncode == 0
