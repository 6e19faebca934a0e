# `make` alone lists the targets. Each makes the environment it needs, in .venv, by itself.
.DEFAULT_GOAL := help
.PHONY: docs help demo test test-slow bench bench-short fuzz shake shake-short check mutants protos released-protos format
.PHONY: real-data lock clean runtime dev browser console-test vendor pictures types all-but-types
MAKEFLAGS += --no-print-directory

PYTHON_IN_VENV := .venv/bin/python

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

demo: runtime  ## run the whole stack once over a year of flights, and print the totals
	@.venv/bin/carbonline demo

# Three at once on two cores: a sixth of the time they wait for leases and processes.
test: dev  ## run the tests, all but the slow ones; PROCESSES=n
	@$(PYTHON_IN_VENV) -m pytest -n $(or $(PROCESSES),2) tests

console-test: browser  ## run the tests of the console in Chromium, if it is installed
	@$(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile tests/browser

test-slow: dev  ## run the tests that take minutes, shake included
	@$(PYTHON_IN_VENV) -m pytest -m "slow or shake" -o faulthandler_timeout=600 tests

bench: runtime  ## measure the scheduler beside pgbench; rows go to benchmarks/RESULTS.md
	@GRPC_VERBOSITY=NONE $(PYTHON_IN_VENV) -m benchmarks.run

bench-short: runtime  ## the same with small numbers, printed only
	@GRPC_VERBOSITY=NONE $(PYTHON_IN_VENV) -m benchmarks.run --short

# With TLS=1 the same over TLS, between the same processes and one ledger process more.
SHAKEN := -k $(if $(TLS),tls,sockets) tests/shake

shake: dev  ## kill, stop and restart everything under use for five minutes; SEED=n repeats a run; TLS=1
	@SHAKE_SECONDS=300 SEED=$(SEED) $(PYTHON_IN_VENV) -m pytest -s -m shake -o faulthandler_timeout=1800 $(SHAKEN)

shake-short: dev  ## the same within a minute, for CI
	@SHAKE_SECONDS=40 SEED=$(SEED) $(PYTHON_IN_VENV) -m pytest -s -m shake -o faulthandler_timeout=600 $(SHAKEN)

fuzz: dev  ## send the HTTP API what its document allows, and what it does not; FUZZ_EXAMPLES=n, SEED=n
	@FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),50) SEED=$(SEED) $(PYTHON_IN_VENV) -m pytest -q -m slow \
		-o faulthandler_timeout=3600 tests/gateway/test_fuzzing.py

real-data: dev  ## try files of real institutions and published factors; REAL_DATA=FOLDER
	@$(PYTHON_IN_VENV) -m pytest -q -rs tests/real_data tests/carbonline/shelf

# Types take as long as all the rest, on one core.
check: dev  ## check format, lint, types, room contracts, protos, house rules, mutants
	@$(MAKE) -j 2 types all-but-types

types:
	@echo "types"
	@$(PYTHON_IN_VENV) -m mypy --no-error-summary

all-but-types:
	@echo "format and lint"
	@$(PYTHON_IN_VENV) -m ruff format --check --quiet .
	@$(PYTHON_IN_VENV) -m ruff check --quiet .
	@echo "rooms"
	@.venv/bin/lint-imports --no-logo
	@echo "protos"
	@.venv/bin/buf lint
	@.venv/bin/buf format --diff --exit-code
	@.venv/bin/buf breaking --against protos/released.binpb
	@echo "house rules, links, words and mutants"
	@$(PYTHON_IN_VENV) -m pytest -q tests/tidy tests/docs/test_words.py tests/mutants/test_mutants.py

mutants: browser  ## break each safety rule once, and demand that the tests named for it notice
	@$(PYTHON_IN_VENV) -m tests.mutants.run

protos: runtime  ## generate carbonline/v1 and the catalogues of types from protos/
	@$(PYTHON_IN_VENV) protos/build_hook.py
	@$(PYTHON_IN_VENV) protos/generate_catalogue.py

released-protos: dev  ## at a release: freeze the contract that `make check` guards
	@.venv/bin/buf build --exclude-source-info --output protos/released.binpb

docs: dev  ## write the parts of docs/ that follow from the code
	@$(PYTHON_IN_VENV) docs/generate.py

format: dev  ## format code and protos
	@$(PYTHON_IN_VENV) -m ruff format --quiet .
	@$(PYTHON_IN_VENV) -m ruff check --quiet --fix .
	@.venv/bin/buf format --write

vendor:  ## fetch the console's libraries as package-lock.json names them; needs npm
	@python3 gateway_service/console/vendor_files.py

pictures: browser  ## take the pictures of the console in docs anew, with Chromium
	@$(PYTHON_IN_VENV) docs/take_pictures.py

lock: build/uv/bin/uv  ## solve the dependencies anew, into the four hashed lock files
	@build/uv/bin/uv pip compile $(LOCKING) --extra build --extra local --extra objects pyproject.toml -o requirements.lock
	@build/uv/bin/uv pip compile $(LOCKING) --extra build --extra local --extra objects --extra dev -c requirements.lock \
		pyproject.toml -o requirements-dev.lock
	@build/uv/bin/uv pip compile $(LOCKING) --extra build --extra local --extra objects --extra dev --extra browser \
		-c requirements-dev.lock pyproject.toml -o requirements-browser.lock
	@build/uv/bin/uv pip compile $(LOCKING) --extra gateway --extra server --extra objects -c requirements.lock \
		pyproject.toml -o requirements-server.lock

clean:  ## remove all that was made: environment, generated code, results, caches
	rm -rf .venv build dist carbonline/v1
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@./environment.sh runtime
	@$(PYTHON_IN_VENV) protos/build_hook.py >/dev/null

dev:
	@./environment.sh dev
	@$(PYTHON_IN_VENV) protos/build_hook.py >/dev/null

browser:
	@./environment.sh browser
	@$(PYTHON_IN_VENV) protos/build_hook.py >/dev/null

LOCKING := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--no-header --quiet

build/uv/bin/uv:
	@python3 -m venv build/uv
	@build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
