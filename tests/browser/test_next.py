"""What to run next, gathered in the explorer, in a real browser."""

import re
import subprocess

import yaml
from playwright.sync_api import expect

from helpers.workflow import environment
from styletransfer.study.config import load as load_config
from styletransfer.study.expand import expand


def test_what_to_run_next_becomes_a_config_that_plans_as_it_is(star, studies, tmp_path):
    told = star.locator("#next-told")
    assert "Nothing is added yet" in told.inner_text()
    star.locator("#slider-style_weight").fill("2")
    star.locator('nav a[href="#next"]').click()
    expect(star.locator("#next-run")).to_have_text("style weight 500")
    star.locator("#next-value").select_option(label="style scales 2")
    star.locator("#add-value").click()
    expect(star.locator("#plans li span").first).to_have_text("style weight 500, style scales 2")
    expect(told).to_have_text(re.compile(r"^1 setting, 1 of them new: about \d+ s on one device"))
    expect(star.locator("#add-finer")).to_have_text("Add finer style weight: 158")
    star.locator("#add-finer").click()
    star.locator("#next-other").select_option("style_scales")
    star.locator("#add-grid").click()
    expect(told).to_have_text(re.compile(r"^5 settings, 2 of them new: "))
    star.get_by_role("button", name="Leave out: style weight 158").click()
    expect(told).to_have_text(re.compile(r"^4 settings, 1 of them new: "))
    star.locator("#add-finer").click()
    with star.expect_download() as download:
        star.locator("#next").get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "star-next.yaml"
    config = tmp_path / "next.yaml"
    download.value.save_as(config)
    runs = expand(load_config(yaml.safe_load(config.read_text()))).runs
    settings = sorted((run.style_weight, *run.style_scales) for run in runs.values())
    assert settings == [(50, 1), (50, 2), (158, 1), (500, 1), (500, 2)]
    new = runs.keys() - {path.name for path in (studies / "results/runs").iterdir()}
    assert len(new) == 2
    plan = subprocess.run(
        ["styletransfer", "plan", "--configfile", str(config)],
        check=False,
        cwd=studies,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert plan.returncode == 0, plan.stderr
    assert star.locator("#next-commands").inner_text().count("styletransfer transfer") == 2
    star.get_by_role("button", name="Leave all out").click()
    assert "Nothing is added yet" in told.inner_text()
