PYTHON ?= python3
PY := .venv/bin/python
LOCAL := $(PY) -m deploy.local
# The web app is built beside the start of the platform, which does not wait for it.
WEB := mkdir -p build && { $(MAKE) -s web > build/web.log 2>&1 & }
LOCKS := members events feedback notifications gateway otel local web generators dev
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help run demo stop reset status test check web client lock bench faults fuzz generators secrets containers

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.local ## run everything in the foreground; Ctrl-C stops it (PORT=8000)
	@$(WEB)
	@$(LOCAL) run

demo: .venv/.local ## the same in the background, with a hub of 60 members and a story on the terminal
	@$(WEB)
	@RATE_LIMIT_SIGN_IN=$${RATE_LIMIT_SIGN_IN:-600} $(LOCAL) up --movable # all 60 join from one address
	@settings=$$($(LOCAL) env) && eval "$$settings" && $(PY) -m deploy.demo

stop: .venv/.local ## stop what this checkout started
	@$(LOCAL) stop

reset: .venv/.local ## stop, and delete all data, keys and logs
	@$(LOCAL) reset

status: .venv/.local ## what runs
	@$(LOCAL) status || true

test: .venv/.dev ## all tests, two files at a time, on brokers and stores of their own (ARGS="-k inbox": some of them)
	@$(PY) -m pytest $(or $(ARGS),$(if $(AMQP_URI)$(MONGO_URI),,-n 2 --dist loadfile --no-loadscope-reorder))

check: .venv/.dev ## style, types, who may import whom, generated documents, known vulnerabilities
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m deploy.documents --check
	@$(PY) -m deploy.kubernetes
	@$(PY) -m deploy.web --check
	@$(PY) -m deploy.advisories

bench: .venv/.dev ## how fast it is beside its limits, in one run (ONLY=me,fanout SCALE=smoke|full|million KEEP=1)
	@$(PY) -m tests.bench

faults: .venv/.dev ## break things and count what is lost: nothing (ONLY=5,14 SCALE=smoke|full SEED=)
	@$(PY) -m tests.faults

web: .venv/.web ## build the web app into build/web, where the gateway finds it
	@$(PY) -m deploy.web

client: .venv/.dev ## generate the TypeScript client anew from gateway/openapi.json, and build it
	@cd gateway/clients/typescript && PATH="$(CURDIR)/.venv/bin:$$PATH" && export PATH \
	  && npm ci --silent && npm run --silent generate && npm run --silent build

fuzz: .venv/.dev ## try what the API's description says, and what it does not (EXAMPLES=50 SEED=)
	@EXAMPLES="$${EXAMPLES:-50}" SEED="$${SEED:-$$($(PY) -c 'import secrets; print(secrets.randbits(31))')}" \
	  $(PY) -m pytest -s tests/fuzz

generators: .venv/.dev build/generators/.made ## let other people's generators and linters read the documents, and use what they make
	@$(PY) -m pytest -s -m generators tests/generators

secrets: .venv/.local ## make the keys and passwords of a platform in containers (.secrets/), unless they are there
	@$(PY) -m deploy.secrets

containers: .venv/.dev ## run the platform in containers, and see that it heals, scales and keeps its data
	@$(PY) -m pytest -s -m containers tests/deploy

lock: .venv/.dev ## resolve the dependencies anew into requirements/
	@for extra in $(LOCKS); do \
	  .venv/bin/pip-compile -q --extra $$extra --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --strip-extras --no-header --no-annotate --unsafe-package hearth -o requirements/$$extra.txt pyproject.toml \
	  && sed -i.old '/^# WARNING/,$$d' requirements/$$extra.txt && rm requirements/$$extra.txt.old || exit 1; \
	done

.venv/.local .venv/.web .venv/.dev: | .venv/bin/hub

.venv/bin/hub: Makefile | $(PY)
	@printf '%s\n' '#!/bin/sh' 'here=$$(cd "$$(dirname "$$0")" && pwd)' \
	  'PYTHONPATH="$$here/../.." exec "$$here/python" -P -m deploy.hub "$$@"' > $@
	@chmod +x $@

.venv/.%: requirements/%.txt | $(PY)
	@echo "Installing what requirements/$*.txt names (this once) …"
	@$(PIP) -r $<
	@touch $@

build/generators/.made: requirements/generators.txt | $(PY)
	@$(PY) -m venv build/generators
	@build/generators/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Hearth needs Python 3.11 or newer: make PYTHON=/path/to/python …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh deploy/local/apt-install.sh python3-venv >/dev/null 2>&1 \
	  || { echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
