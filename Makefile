# Every target sets up what it needs: a virtual environment in .venv, made with $(PYTHON).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo docs test test-all bench lint check-wheel templates pictures clean mutants

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/user: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: PYTHON=python3.12 make ..." if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[recalc,figures]'
	touch $@

.venv/dev: .venv/user
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[all]' --group dev
	touch $@

demo: .venv/user ## build a budget workbook, recompute it for a 30B-quality model, print the result
	@mkdir -p demo
	@$(BIN)/chinchilla-xl new budget demo/budget.xlsx --force
	@$(BIN)/chinchilla-xl recompute demo/budget.xlsx --set target_params=30E9 --set months=40 \
	  --set ramp_months=0 --set requests_per_month=581395348.837209
	@$(BIN)/chinchilla-xl show demo/budget.xlsx

lint: .venv/dev ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## lint, tests, and the tests against the built wheel
	$(BIN)/pytest -n auto
	$(MAKE) check-wheel

check-wheel: .venv/dev ## the tests against the built wheel, with the source absent
	rm -rf .test-wheel && mkdir .test-wheel
	$(BIN)/python -m build --outdir .test-wheel/dist . > .test-wheel/build.log || (cat .test-wheel/build.log; exit 1)
	$(PYTHON) -m venv .test-wheel/venv
	.test-wheel/venv/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	.test-wheel/venv/bin/pip install --quiet --disable-pip-version-check .test-wheel/dist/*.whl
	.test-wheel/venv/bin/python tests/bare.py
	wheel=$$(ls .test-wheel/dist/*.whl) && .test-wheel/venv/bin/pip install --quiet --disable-pip-version-check "$$wheel[all]" --group dev
	cp -r addin tests docs templates pyproject.toml mkdocs.yml *.md .test-wheel/
	cd .test-wheel && venv/bin/python -c 'import chinchilla_xl, sys; sys.exit("site-packages" not in chinchilla_xl.__file__)'
	cd .test-wheel && venv/bin/python -m pytest -n auto -m 'not slow and not once'

test-all: test ## the slow proofs too
	$(BIN)/pytest -n auto -m slow

mutants: .venv/dev ## wrong formulas that the tests do not notice (takes an hour or more; docs/mutation.md)
	$(BIN)/pip install --quiet --disable-pip-version-check --group mutants
	$(BIN)/python benchmarks/mutants.py

bench: .venv/dev ## measure speed, as ratios in one run
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_optimum.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_fit.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_excel.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_recalc.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_batch.py

docs: .venv/dev ## write what docs/ takes from the code, build the site in site/, warnings as errors
	$(BIN)/python tests/doc_pages.py
	$(BIN)/python tests/parity_page.py
	$(BIN)/zensical build --strict

templates: .venv/user ## rebuild the workbooks in templates/
	names=$$($(BIN)/python -c 'from chinchilla_xl.workbooks import TEMPLATES; print(*TEMPLATES)') && \
	for name in $$names; do \
	  $(BIN)/chinchilla-xl new $$name templates/$$name.xlsx --force || exit 1; done

pictures: .venv/dev ## draw the templates' pictures for docs/ anew (needs LibreOffice and poppler)
	$(BIN)/python tests/pictures.py

clean: ## remove everything that make made
	rm -rf .venv .test-wheel demo site .cache dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .mutants
