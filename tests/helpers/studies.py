"""Studies of the project's config folder, and small ones."""

from pathlib import Path

import yaml

from styletransfer.study.config import load as load_config

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def config(name="config.yaml", **changes):
    """A config of the project, with other values for some keys, as the workflow loads it."""
    loaded = yaml.safe_load((ROOT / "config" / name).read_text())
    return load_config(loaded | changes, SCHEMA)
