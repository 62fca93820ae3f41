"""Pixels do not change unless the numerics version is raised."""

import pytest

from helpers import golden
from styletransfer import settings

pytestmark = pytest.mark.engine


def test_what_is_kept_is_of_this_numerics_version():
    assert golden.kept()["numerics"] == settings.NUMERICS, "keep the new results: python tests/helpers/golden.py"


@pytest.mark.parametrize("name", golden.RUNS)
def test_pixels_are_those_that_are_kept(name, tmp_path):
    found = golden.differences(name, *golden.compute(name, tmp_path))
    assert not found, "\n".join([*found, golden.ADVICE])


def test_a_loss_weight_that_is_wrong_by_a_thousandth_is_noticed(tmp_path):
    pictures, losses, kind = golden.compute("adam", tmp_path, "--style-weight", "500.5")
    found = golden.differences("adam", pictures, losses, kind)
    assert any(line.startswith("image.png differs") for line in found)
    assert any(line.startswith("losses `style`") for line in found)


def test_a_bit_is_noticed_where_the_kind_of_cpu_is_known():
    known = golden.kept()["runs"]["adam"]
    pictures = {name: golden.read_image(golden.FOLDER / f"adam-{name}.png") for name in golden.PICTURES}
    kind, _ = next(iter(known["sha256"].items()))
    assert not golden.differences("adam", pictures, known["losses"], kind)
    pictures["image"][0, 0, 0] ^= 1
    assert "to the bit" in " ".join(golden.differences("adam", pictures, known["losses"], kind))
    assert not golden.differences("adam", pictures, known["losses"], "another CPU")
