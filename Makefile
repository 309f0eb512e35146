# Everything a developer runs. Needs GNU make, a POSIX shell with bash, and Python 3.11 to 3.13.
# Packages come from whatever registry pip is configured for; environments are made once and kept.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

usable = $$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do if $(usable) 2>/dev/null; then echo $$p; break; fi; done)

PORT ?= 8080
FFIS ?=
TESSERA_HOME ?= .tessera
JOBS ?= 2

SOURCES := layers/engine/src:shared/src:local/src
BIN := .venv/bin
UV := .venv-tools/bin/uv

# -- environments: a stamp is newer than the lock it was made from ----------------------------------------------------

$(UV): requirements/tools.txt
	@test -n "$(PYTHON)" || { echo "tessera needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@
