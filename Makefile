# Two commands: `make demo` shows the agent at work offline, `make test` runs the tests.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test test-real check bench help docs picture clean

demo: .venv/installed
	@$(BIN)/agent demo

test: .venv/tested
	$(BIN)/pytest -n auto

# The tests against a LiteLLM proxy, which lives in a virtual environment of its own.
test-real: .venv/tested .venv-real/installed
	AGENT_TEST_LITELLM=$(CURDIR)/.venv-real/bin $(BIN)/pytest tests/real

check: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: .venv/tested
	$(BIN)/python benchmarks/startup.py
	PYTHONPATH=tests $(BIN)/python benchmarks/turns.py

# What sessions cost next to the least they can cost; the table is kept in benchmarks/results.
bench-cost: .venv/tested
	$(BIN)/python benchmarks/cost.py

# The help text that is shown without loading typer.
help: .venv/installed
	COLUMNS=80 $(BIN)/python -c "from agentcli.cli.commands import run_typer; run_typer(['--help'])" > agentcli/cli/help.txt

# The parts of docs/reference that are made from the program.
docs: .venv/tested
	$(BIN)/python docs/generate.py

# docs/demo.svg, from a real run in a terminal.
picture: .venv/tested
	PYTHONPATH=tests $(BIN)/python docs/picture.py

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[rg]"
	@touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[rg,dev]"
	@touch $@

.venv-real/installed: tests/real/requirements.txt
	$(PYTHON) -m venv .venv-real
	.venv-real/bin/python -m pip install --quiet --upgrade pip
	.venv-real/bin/python -m pip install --quiet --requirement $<
	@touch $@

clean:
	rm -rf .venv .venv-real build dist *.egg-info .pytest_cache .ruff_cache
