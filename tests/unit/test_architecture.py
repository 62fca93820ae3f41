"""What the engine's modules may load. Which of them may import which stands in pyproject.toml, for `lint-imports`."""

import subprocess
import sys
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "workflow/styletransfer"
# The network and the method compute with it.
HEAVY = {
    "styletransfer.vgg.bands",
    "styletransfer.vgg.network",
    "styletransfer.vgg.winograd",
    "styletransfer.optim.banded",
    "styletransfer.optim.gradients",
    "styletransfer.optim.loop",
    "styletransfer.optim.losses",
    "styletransfer.optim.optimizers",
    "styletransfer.optim.pyramid",
}
# Run by the Python of another environment.
ELSEWHERE = {"styletransfer.benchmarks.pytorch_step"}


def test_only_the_network_and_the_method_load_tensorflow():
    """Light rules run anywhere; on a node with GPUs TensorFlow would take their memory."""
    parts = [path.relative_to(ENGINE.parent).with_suffix("").parts for path in ENGINE.rglob("*.py")]
    modules = {".".join(part for part in names if part != "__init__") for names in parts}
    assert modules > HEAVY | ELSEWHERE
    code = f"import sys, {', '.join(sorted(modules - HEAVY - ELSEWHERE))}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
