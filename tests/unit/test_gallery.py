"""The gallery says of each picture what it was made with, and its study makes it."""

import re
from pathlib import Path

import pytest

import gallery_pictures
from helpers.studies import config
from styletransfer.study.expand import expand

ROOT = Path(__file__).parents[2]
CONFIG = config("gallery.yaml")
PAGE = (ROOT / "docs/gallery.md").read_text()


def test_the_page_shows_what_was_chosen():
    shown = re.findall(r"\*\*(\w+) x (\w+)\*\*, style weight (\d+) \|.*\(gallery/(\S+)\.webp\)", PAGE)
    named = [(content, style, int(weight)) for content, style, weight, _ in shown]
    assert sorted(named) == sorted(gallery_pictures.CHOSEN)
    assert len(shown) >= 8
    assert all(file == f"{content}-{style}" for content, style, _, file in shown)


def test_the_study_has_what_was_chosen():
    runs = {(row.pair, row.settings.style_weight) for row in expand(CONFIG).rows}
    assert runs >= {(f"{content} x {style}", weight) for content, style, weight in gallery_pictures.CHOSEN}


def test_the_command_by_hand_has_the_settings_of_the_study():
    for parameter in ("optimizer", "pooling", "style_weight", "style_scales", "tv_weight", "width", "iterations"):
        assert f"--{parameter.replace('_', '-')} {CONFIG['defaults'][parameter]} " in PAGE
    large = f"--width {gallery_pictures.WIDTH} --iterations {gallery_pictures.ITERATIONS} --initial small.png"
    assert large in PAGE


@pytest.mark.parametrize("page", ["gallery.md", "first_study.md"])
def test_links_lead_somewhere_and_pictures_are_small(page):
    found = re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "docs" / page).read_text())
    assert found
    assert all((ROOT / "docs" / target).exists() for target in found)
    assert sum(path.stat().st_size for path in (ROOT / "docs/gallery").iterdir()) < 1.3e6
