# Two commands: `make demo` shows it all, `make test` checks it all. Nothing but Python 3.11, pip and make is needed.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# Snakemake's rules call `python`: the environment's comes first.
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: demo test lint unit cluster install lock pictures

demo: $(VENV)/installed
	$(BIN)/snakemake --configfile config/demo.yaml
	@echo
	@echo "contact sheet: results/studies/demo/figures/contact_sheet.png"
	@echo "loss curves:   results/studies/demo/figures/loss_curves.png"
	@echo "timeline:      results/studies/demo/figures/device_timeline.png"
	@echo "tables:        results/studies/demo/runs.csv, runs.parquet, losses.parquet"

install: $(VENV)/installed

$(VENV)/installed: envs/requirements-cpu.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r envs/requirements-cpu.txt
	touch $@

$(VENV)/tested: $(VENV)/installed envs/requirements-test.txt
	$(BIN)/pip install --quiet --require-hashes -r envs/requirements-test.txt
	touch $@

test: lint unit cluster

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

unit: $(VENV)/tested
	$(BIN)/pytest --ignore tests/cluster

# A real SLURM on this machine, installed where it is missing. It needs root and Debian; elsewhere one line says so.
cluster: $(VENV)/tested
	$(BIN)/python tests/cluster/slurm.py install
	$(BIN)/pytest tests/cluster

# The pictures of README and docs. The first is the demo's contact sheet.
pictures: demo
	$(BIN)/python workflow/scripts/compare_schedules.py --output docs/schedules.png
	$(BIN)/python -c "from PIL import Image; \
	  sheet = Image.open('results/studies/demo/figures/contact_sheet.png').convert('RGB'); \
	  sheet.thumbnail((1000, 9999)); sheet.save('docs/contact_sheet.jpg', quality=85, optimize=True)"

# Needs the package uv. The pins name no index, so they serve every mirror.
lock:
	cd envs && for name in cpu test gpu; do \
	  source=requirements$$([ $$name = cpu ] || echo -$$name).in; \
	  uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 \
	    --python-platform x86_64-manylinux_2_28 $$source -o requirements-$$name.txt; done
