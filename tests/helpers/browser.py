"""Debian's Chromium, axe-core, and two small studies whose explorers are looked at."""

import shutil

from helpers.studies import ROOT, tiny_study

CHROMIUM = shutil.which("chromium")
AXE = ROOT / ".venv/axe/node_modules/axe-core/axe.min.js"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-precise-memory-info"),
)
# Two pairs; the learning rate of one run makes it diverge.
STAR = tiny_study(
    study="star",
    images={"photograph": {"sample": "astronaut"}, "glass": {"painting": "glass"}, "candy": {"painting": "candy"}},
    pairs=[{"content": "photograph", "styles": ["glass"]}, {"content": "photograph", "styles": ["candy"]}],
    defaults={"width": 48, "iterations": 4, "style_weight": 50},
    vary={"style_weight": [5, 50, 500], "style_scales": [1, 2], "learning_rate": [10, 1.0e30]},
    runs_per_job=20,
)
GRID = STAR | {
    "study": "grid",
    "design": "grid",
    "pairs": STAR["pairs"][:1],
    "vary": {"style_weight": [5, 50], "tv_weight": [10, 100, 1000]},
}
