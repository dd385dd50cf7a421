# A fresh machine needs Python 3.11 or later with pip, git and make; everything else comes into .venv.

PYTHON ?= $(shell for python in python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
WORKERS ?= auto

PINS := constraints/pinned.txt
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := verify
.DELETE_ON_ERROR:
.PHONY: verify test check format benchmark mutants pictures law-pages training-table cost-page fast-forms report-card benchmarks-page sharing-page experiments calibrate power clean help

verify: $(STAMP) ## check every claim of the library (the default)
	$(VENV)/bin/equivalence verify

# The script says why there is no browser, where there is none: the tests that need one are skipped with that reason.
test: check ## what the gate runs: check, then the tests
	EQUIVALENCE_NO_BROWSER="$$(sh tests/report/install_browser.sh)" $(RUN) -m pytest --numprocesses=$(WORKERS) --maxprocesses=4

check: $(STAMP) ## formatting, lint and types
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy

format: $(STAMP) ## rewrite the files as check wants them
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

# No workers: they would share the processor that is timed.
benchmark: $(STAMP) ## time what tests/benchmarks names
	$(RUN) -m pytest --benchmark-only tests/benchmarks

mutants: $(STAMP) ## print the table law x mutants
	$(RUN) -m tests.mutants

law-pages: $(STAMP) ## write docs/laws from the laws and their mutants
	$(RUN) -m tests.law_pages --write docs/laws

report-card: $(STAMP) ## measure what verifying costs and finds, and write docs/report-card.md, on a quiet machine
	$(RUN) -m tests.report_card --write docs/report-card.md

benchmarks-page: $(STAMP) ## write docs/benchmarks.md and its pictures, on a quiet machine
	$(RUN) -m tests.benchmarking.page --write docs/benchmarks.md

fast-forms: $(STAMP) ## time the fastest form known of each family, and write docs/fast-forms.md
	$(RUN) -m tests.fast_forms --write docs/fast-forms.md

cost-page: $(STAMP) ## write docs/cost.md, what every form of the catalogue costs
	$(RUN) -m tests.cost_page --write docs/cost.md

sharing-page: $(STAMP) ## write docs/sharing.md: what sharing a layer does and does not
	$(RUN) -m tests.sharing_page --write docs/sharing.md

# DATA is a folder with the folders mnist and fashion-mnist; without it, the images are fetched.
experiments: $(STAMP) ## train both published experiments, and draw them for the documentation
	for name in mnist fashion-mnist; do \
		$(VENV)/bin/equivalence train $$name $(if $(DATA),--data "$(DATA)/$$name") && \
		cp .equivalence/train/$$name/curves.png docs/pictures/train-$$name.png || exit 1; done

training-table: $(STAMP) ## write docs/training.md: which claim is trained alike by which optimiser
	$(RUN) -m tests.training_table --write docs/training.md

pictures: $(STAMP) ## draw the report and the terminal for the documentation
	$(VENV)/bin/equivalence verify --json .equivalence/report.json
	$(RUN) -m tests.report.pictures docs/pictures --json .equivalence/report.json \
		--open local-transposed-blocks/forward

calibrate: $(STAMP) ## measure the constant of the rounding model, and write docs/calibration.md
	$(RUN) -m tests.calibration --write docs/calibration.md

power: $(STAMP) ## measure the false alarms and the power of the law of fresh parameters
	$(RUN) -m tests.power --runs 10 --write docs/initialisation.md

clean: ## remove .venv and everything that a run leaves behind
	rm -rf $(VENV) .oldest build dist .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find equivalence properties tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' Makefile

# pip itself comes first: a dependency group needs pip 25.1, a build constraint 25.3, and Python 3.11 brings 23.
$(STAMP): pyproject.toml $(PINS)
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later found: make PYTHON=..." >&2; exit 1; }
	$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(RUN) -m pip install --quiet --constraint $(PINS) pip
	$(RUN) -m pip install --quiet --constraint $(PINS) --build-constraint $(PINS) \
		--editable '.[pytest,benchmarks,reports,data,pictures]' --group dev
	touch $@
