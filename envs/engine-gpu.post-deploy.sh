#!/usr/bin/env bash
# As engine.post-deploy.sh; runs read no offline weights but those that a rule has prepared.
set -euo pipefail
pip install --no-deps --editable .
