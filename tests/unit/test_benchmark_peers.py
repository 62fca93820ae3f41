"""PyTorch is measured in an environment of its own. Here a program takes its place: it is too large to be installed."""

import subprocess
import sys

import numpy as np
import pytest

from helpers.studies import ENGINE
from styletransfer.benchmarks import peers
from styletransfer.benchmarks.measure import Options
from styletransfer.errors import InputError
from styletransfer.vgg import sources

NETWORK = sources.package_path(sources.SOURCES["vgg16"])
PYTHON = """#!{python}
import sys
import numpy as np

program, arrays, layout, threads = sys.argv[1:]
assert program.endswith("pytorch_step.py") and layout == "channels_last"
with np.load(arrays) as found:
    kernel, content = found["kernel_1_2"], found["content"]
print("ready", flush=True)
for number, _ in enumerate(sys.stdin):
    {answer}
"""


def step(folder, answer):
    python = folder / "python"
    python.write_text(PYTHON.format(python=sys.executable, answer=answer))
    python.chmod(0o755)
    return peers.pytorch_step("channels_last")(Options(NETWORK, width=32, height=34, threads=3, pytorch=python))


def test_a_step_is_taken_where_pytorch_is(tmp_path):
    taken = step(tmp_path, "print(number + int(threads) + kernel.shape[3] + content.shape[0], flush=True)")
    assert [taken(), taken()] == [0 + 3 + 64 + 34, 1 + 3 + 64 + 34]
    taken.end()
    assert taken._process.returncode == 0


def test_a_process_that_ends_is_told(tmp_path):
    with pytest.raises(InputError, match="the process with PyTorch ended"):
        step(tmp_path, "sys.exit(1)")()


def test_pictures_are_in_the_order_of_the_networks_channels(monkeypatch):
    rgb = np.zeros((2, 4, 3), np.uint8) + np.array([10, 20, 30], np.uint8)
    monkeypatch.setattr(peers, "pictures", lambda width, height: (rgb, rgb))
    arrays = peers._arrays(Options(NETWORK, width=4, height=2))
    np.testing.assert_allclose(arrays["content"][0, 0], np.array([30, 20, 10]) - peers.MEAN)


def test_what_is_installed_is_kept(tmp_path):
    (tmp_path / "installed").write_text("torch")
    assert peers.environment(tmp_path, "torch") == tmp_path / "bin/python"


def test_where_pip_cannot_install_it_that_is_told_and_nothing_is_measured(tmp_path):
    words = ["benchmark", "peers", "--pytorch", "./none.whl", "--weights", NETWORK, "--output", "made.json"]
    done = subprocess.run([*ENGINE, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none.whl" in done.stderr and "PyTorch is measured only where pip can install it" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made.json").exists()
    assert not (tmp_path / "results/.benchmarks/pytorch/installed").exists()
