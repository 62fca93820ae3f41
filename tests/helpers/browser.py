"""Debian's Chromium, axe-core, and two small studies whose explorers are looked at."""

import shutil

from helpers.workflow import ROOT

CHROMIUM = shutil.which("chromium")
AXE = ROOT / ".venv/axe/node_modules/axe-core/axe.min.js"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-precise-memory-info"),
)
# Two pairs; the learning rate of one run makes it diverge.
STAR = {
    "study": "star",
    "weights": "vgg16",
    "images": {"photograph": {"sample": "astronaut"}, "glass": {"painting": "glass"}, "candy": {"painting": "candy"}},
    "pairs": [{"content": "photograph", "styles": ["glass"]}, {"content": "photograph", "styles": ["candy"]}],
    "defaults": {"width": 48, "iterations": 4, "content_weight": 1, "style_weight": 50},
    "vary": {"style_weight": [5, 50, 500], "style_scales": [1, 2], "learning_rate": [10, 1.0e30]},
    "device": "cpu",
    "print_iterations": 1,
    "runs_per_job": 20,
}
GRID = STAR | {
    "study": "grid",
    "design": "grid",
    "pairs": STAR["pairs"][:1],
    "vary": {"style_weight": [5, 50], "tv_weight": [10, 100, 1000]},
}
