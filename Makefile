# All commands of a developer. They need GNU make, bash and Python 3.11 to 3.14. Packages come from the registries that pip
# and npm are configured for. Each environment is made on first use and kept, so a second run does not make it again.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PRECIOUS: .venv-%/bin/python .venv-%/.done

# PYTHON  interpreter of the environments          PORT  port of the one-machine stack
# FFIS    folder of your own frames, or empty      TESSERA_HOME  folder with the data of the one-machine stack
# JOBS    tests that run side by side              STACK  name of a stack on AWS
# WHEEL  wheel that the notebooks import, or empty for the sources
# URL  address of a service                        CUBE  name of a cube
# ONLY  benches to run, or empty for all           LOADED  yes if the machine of bench-quick is busy, or empty
# TABLES  tables of stars    CATALOGUE  their name    EPOCH  Julian year of their positions, or empty
# REASON  why the service is paused or a cube withdrawn    RESTORE  yes to serve a withdrawn cube again, or empty
# MODULE  path of a pure module, or empty for all     NOTEBOOKS  on, or off for a site whose notebooks are not run
SUPPORTED := import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(firstword $(foreach p,python3.14 python3.13 python3.12 python3.11 python3,$(shell $(p) -c '$(SUPPORTED)' 2>/dev/null && echo $(p))))
PORT ?= 3000
FFIS ?=
STACK ?=
URL ?=
CUBE ?=
REASON ?=
RESTORE ?=
TABLES ?=
CATALOGUE ?= Gaia DR3
EPOCH ?=
TESSERA_HOME ?= .local
JOBS ?= 2
MODULE ?=
NOTEBOOKS ?= on
WHEEL ?=
ONLY ?=
LOADED ?=

ADMIN := .venv/bin/python -m tessera_cloud.admin

# Files that are built and checked
COVERED := tests/unit tests/http tests/functions tests/contract tests/workflows tests/local tests/reference
SOURCES := layers/engine/src shared/src local/src
TYPED := $(SOURCES) functions tools tests
MACHINES := $(wildcard statemachines/*.asl.json)
TEMPLATES := template.yaml $(wildcard stacks/*.yaml)

# The system's node if it is new enough, otherwise node from a package
NODE_RUNS := node -e 'process.exit(+(process.versions.node.split(".")[0] < 18))' 2>/dev/null && command -v npm >/dev/null
NODE_ENV = $(shell $(NODE_RUNS) || echo .venv-node/.done)
WITH_NODE := PATH="$(CURDIR)/.venv-node/path:$$PATH"

export PYTHONDONTWRITEBYTECODE := 1
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

.PHONY: help check local put stars sam-local test test-fast test-dates coverage lint format openapi docs template build dist test-wheel release publish-page doctor smoke pause resume withdraw measure costs screenshots test-astroquery test-browsers test-interpreters test-layers test-pages test-s3 test-ivoa test-programs conformance bench bench-quick mutants hooks lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

# The newest Python that is there says what is missing, also if it is too old.
CHECK_WITH = $(or $(PYTHON),python3)
CHECK_MACHINE = command -v "$(CHECK_WITH)" >/dev/null || { echo "MISSING Python: there is no $(CHECK_WITH)"; exit 1; }; \
  "$(CHECK_WITH)" tools/check_machine.py --make $(MAKE_VERSION)

# -- commands --------------------------------------------------------------------------------------------------------

check: ## say what this machine lacks for these commands, and how to get it (PORT, TESSERA_HOME)
	@$(CHECK_MACHINE) --port "$(PORT)" --home "$(TESSERA_HOME)"

local: .venv/.local ## start the whole service on this machine (PORT, FFIS, TESSERA_HOME)
	@TESSERA_HOME="$(TESSERA_HOME)" exec .venv/bin/python -m tessera_local start --port "$(PORT)" $(if $(FFIS),--ffis "$(FFIS)")

put: .venv/.local ## add frames to the running service (FFIS, TESSERA_HOME)
	@test -n "$(FFIS)" || { echo "Name the folder of the frames: make put FFIS=/folder/of/frames"; exit 1; }
	@.venv/bin/python -m tessera_local put "$(FFIS)" --home "$(TESSERA_HOME)"

stars: .venv/.local ## serve a catalogue of stars made of tables (TABLES, CATALOGUE, EPOCH; STACK: on AWS, TESSERA_HOME: of the running service)
	@test -n "$(TABLES)" || { echo "Name the tables: make stars TABLES='gaia-*.fits' CATALOGUE='Gaia DR3'"; exit 1; }
	@$(if $(STACK),$(ADMIN) stars --stack "$(STACK)",.venv/bin/python -m tessera_local stars --home "$(TESSERA_HOME)") \
	  --name "$(CATALOGUE)" $(if $(EPOCH),--epoch "$(EPOCH)") $(TABLES)

sam-local: .venv/.dev .venv-sam/.done ## run functions of events/ and the API in containers (needs a Docker engine)
	@SAM=.venv-sam/bin/sam .venv/bin/python tools/run_sam_local.py

# Workers and the programs that they start compile a module once.
test test-fast coverage test-dates test-ivoa: export PYTHONDONTWRITEBYTECODE :=

# With the profile ci, generated examples are the same in every run. Plain pytest looks for new ones. One worker more
# than JOBS, because tests of a stack wait for its processes most of the time.
# RERUNS is how often a test that fails is run again before it counts as failed. pytest lists these tests at the end.
RERUNS ?= 0
PAGE_PROGRAMS := tests/docs/test_pages_on_the_stack.py
test: .venv/.dev .venv-tica-peer/.done tools/node_modules/.done ## run all tests of our own (of the template: make template; of astrocut: make conformance; of the Virtual Observatory: make test-ivoa; of programs in the documentation: make test-pages)
	@.venv/bin/python -m pytest --numprocesses $$(($(JOBS) + 1)) --dist loadgroup --reruns $(RERUNS) --hypothesis-profile ci tests --ignore tests/bench --ignore tests/browsers --ignore tests/conformance --ignore $(PAGE_PROGRAMS) --ignore tests/interpreters --ignore tests/ivoa --ignore tests/programs --ignore tests/s3 --ignore tests/template

test-fast: .venv/.dev ## run the tests of arithmetic, HTTP and handlers that need a second or less, in under a minute
	@.venv/bin/python -m pytest --numprocesses $(JOBS) --hypothesis-profile ci -m "not slow and not stack and not reference" tests/unit tests/http tests/functions

coverage: .venv/.dev .venv-tica-peer/.done ## run the tests that start no process of the stack, and report the lines they reach (build/coverage)
	@.venv/bin/python -m pytest --numprocesses $(JOBS) --dist loadgroup --hypothesis-profile ci -m "not stack" --cov --cov-report term:skip-covered --cov-report html $(COVERED)

# Days pass in a fiftieth of a second in the second run, so that nearly every test crosses midnights (moto's queues lose
# messages by then). To Python a locale that is not installed is C.
DATED := .venv/bin/python -m pytest --numprocesses $(JOBS) --dist loadgroup --reruns $(RERUNS) --hypothesis-profile ci -m "not stack"
DATED_FILES := tests/workflows tests/functions tests/http

test-dates: .venv/.dev .venv-sam/.done .venv-tica-peer/.done tools/node_modules/.done ## run the tests that need no stack on other dates, in other time zones and locales
	TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 $(WITH_NODE) $(DATED) --date 2031-06-01T12:00 tests --ignore tests/bench --ignore tests/browsers --ignore tests/conformance --ignore tests/interpreters --ignore tests/ivoa --ignore tests/programs --ignore tests/s3
	TZ=America/St_Johns LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $(DATED) --date 2026-12-31T23:59:50 --day-lasts 0.02 \
	  $(DATED_FILES) tests/unit --deselect tests/workflows/test_ingest_on_aws.py
	TZ=Asia/Kathmandu $(DATED) --date 2024-02-29T12:00 $(DATED_FILES)

lint: .venv/.dev ## check style, types and the direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(wildcard $(TYPED))
	PYTHONPATH=.:$(subst $() ,:,$(SOURCES)) .venv/bin/lint-imports

format: .venv/.dev ## format the sources
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

SITE := shared/src/tessera_cloud/http/documents/site
openapi: .venv/.dev ## write the API's document again, and copy the files that its page shares with the web page
	cp page/style/tokens.css page/style/base.css page/js/base/dom.js page/js/base/theme.js $(SITE)
	PYTHONPATH=$(subst $() ,:,$(SOURCES)) .venv/bin/python -m tessera_cloud.http.documents.openapi

docs: .venv-docs/.done $(if $(filter off,$(NOTEBOOKS)),,.venv/.local) ## build the documentation site and run its notebooks (build/docs; NOTEBOOKS=off leaves them out, WHEEL)
	@.venv-docs/bin/python tools/site/build.py $(if $(filter off,$(NOTEBOOKS)),--text-only) $(if $(WHEEL),--wheel $(WHEEL))
	@echo "build/docs/index.html"

template: .venv/.dev .venv-sam/.done .venv-checkov/.done tools/node_modules/.done ## check the template and the state machines
	.venv-sam/bin/sam validate --lint
	.venv/bin/cfn-lint $(TEMPLATES)
	.venv-checkov/bin/checkov --config-file .checkov.yaml
	@for machine in $(MACHINES); do \
	  .venv/bin/python tools/render_state_machine.py $$machine build; \
	  name=build/$$(basename $$machine .asl.json); \
	  echo "cfn-lint and asl-validator: $$machine"; \
	  .venv/bin/cfn-lint $$name.template.json; \
	  $(WITH_NODE) node tools/node_modules/.bin/asl-validator --json-path $$name.asl.json; \
	done
	$(WITH_NODE) .venv/bin/python -m pytest --quiet --numprocesses $(JOBS) --hypothesis-profile ci tests/template

build: .venv-sam/.done tools/node_modules/.done ## package the layers and functions for Lambda, and report their sizes
	find functions layers shared -name __pycache__ -prune -exec rm -r {} +
	$(WITH_NODE) PYTHON="$(CURDIR)/.venv-sam/bin/python" .venv-sam/bin/sam build
	.venv-sam/bin/python tools/stamp_build.py .aws-sam/build $$(date -u +b%Y%m%dT%H%M%S)
	.venv-sam/bin/python tools/report_sizes.py

test-layers: .venv/.dev tools/node_modules/.done ## build the layers for both processors, and use each build in the interpreter of Lambda
	$(WITH_NODE) .venv/bin/python -m tests.layers.run

# The tests of the state machines run on moto in make test. Here they run on the other, and both are compared.
test-interpreters: .venv/.dev .venv-ministack/.done ## run the state machines on a second interpreter, and compare what both do state by state
	@.venv/bin/python -m pytest --numprocesses $$(($(JOBS) + 1)) --reruns $(RERUNS) -m "not stack" --interpreter ministack tests/interpreters tests/workflows --ignore tests/workflows/test_ingest_on_aws.py

dist: .venv/.dev .venv-dist/.done ## build the wheels and source archives of both packages in build/dist, check them, and report their sizes
	.venv/bin/python tools/build_distributions.py build/dist
	.venv-dist/bin/validate-pyproject layers/engine/pyproject.toml shared/pyproject.toml
	.venv-dist/bin/twine check --strict build/dist/*.whl build/dist/*.tar.gz
	.venv-dist/bin/check-wheel-contents --package layers/engine/src/tessera build/dist/tessera_cubes-*.whl
	.venv-dist/bin/check-wheel-contents --package shared/src/tessera_cloud build/dist/tessera_cloud-*.whl
	.venv-dist/bin/python tools/check_recipe.py build/dist/recipe.yaml

test-wheel: dist ## use the wheel in empty environments of each Python that is here, without extras and with all
	.venv/bin/python tests/wheel/run.py --service --jobs $(JOBS) build/dist/tessera_cubes-*.whl

release: .venv/.dev ## do all of a release but the upload: check the tag and the changelog, then dist and test-wheel
	.venv/bin/python tools/check_release.py
	$(MAKE) test-wheel
	.venv/bin/python tools/check_release.py --built build/dist

NAMED = @test -n "$(STACK)" || { echo "Name the stack: make $@ STACK=tessera-dev"; exit 1; }

publish-page: .venv-sam/.done ## copy the web page to a stack on AWS (STACK)
	$(NAMED)
	.venv-sam/bin/python tools/publish_page.py "$(STACK)"

doctor: .venv/.local ## check a stack on AWS, and say what to do about what is wrong (STACK)
	$(NAMED)
	@$(ADMIN) doctor --stack "$(STACK)"

smoke: .venv/.local ## prove a deployment with a few requests (URL: the page, the API, or the one-machine stack)
	@test -n "$(URL)" || { echo "Name the address: make smoke URL=http://127.0.0.1:3000"; exit 1; }
	@$(ADMIN) smoke "$(URL)"

pause: .venv/.local ## stop everything that costs money in a stack on AWS, within a minute (STACK, REASON)
	$(NAMED)
	@$(ADMIN) pause --stack "$(STACK)" --reason "$(REASON)"

resume: .venv/.local ## end a pause (STACK)
	$(NAMED)
	@$(ADMIN) resume --stack "$(STACK)"

withdraw: .venv/.local ## serve a cube no more, or again (STACK, CUBE: such as tess-s0001-4-2, REASON, RESTORE=yes)
	$(NAMED)
	@test -n "$(CUBE)" || { echo "Name the cube: make withdraw STACK=$(STACK) CUBE=tess-s0001-4-2"; exit 1; }
	@$(ADMIN) withdraw --stack "$(STACK)" "$(CUBE)" $(if $(RESTORE),--restore,--reason "$(REASON)")

measure: .venv/.local ## measure a cube of MAST on this machine, for the service (STACK, CUBE: such as tess-s0001-4-2)
	$(NAMED)
	@test -n "$(CUBE)" || { echo "Name the cube: make measure STACK=$(STACK) CUBE=tess-s0001-4-2"; exit 1; }
	@$(ADMIN) measure --stack "$(STACK)" "$(CUBE)"

costs: .venv/.local ## compute the figures of costs in the documentation again
	@.venv/bin/python -m tools.costs

screenshots: .venv/.dev ## save pictures of the web page at three widths, in both themes (TESSERA_HOME)
	.venv/bin/python tools/take_screenshots.py --home "$(TESSERA_HOME)"

test-astroquery: .venv/.dev .venv-astroquery/.done ## run astroquery's own remote tests, lightkurve and curl against the one-machine stack
	.venv/bin/python tests/clients/run_astroquery_tests.py

test-ivoa: .venv/.dev ## let stilts, pyvo and the standards' clauses check the services of the Virtual Observatory (tests/ivoa)
	@.venv/bin/python -m pytest --numprocesses $(JOBS) --dist loadgroup --reruns $(RERUNS) tests/ivoa

# Ceph lives in a folder of its own and ends with the command. Where it is not installed, the command says so and does nothing.
test-s3: .venv/.dev ## hold Tessera to Ceph's S3, or to the one that TESSERA_TEST_S3="ADDRESS KEY SECRET" names (tests/s3)
	@.venv/bin/python -m tests.s3.run --reruns $(RERUNS)

test-pages: .venv/.dev ## run the programs of the documentation that ask a service
	@.venv/bin/python -m pytest --numprocesses 1 --reruns $(RERUNS) $(PAGE_PROGRAMS)

# A program that cannot be installed here is skipped, with the end of its log.
test-programs: .venv/.dev ## let lightkurve, TGLC, TRICERATOPS and TESSreduce work with our files (tests/programs)
	@mkdir -p build
	@for name in tglc triceratops tessreduce; do \
	  $(MAKE) --no-print-directory .venv-$$name/.done > build/$$name.log 2>&1 || rm -rf .venv-$$name; done
	@.venv/bin/python -m pytest --numprocesses $(JOBS) -rs tests/programs

test-browsers: .venv/.dev tests/browsers/node_modules/.done ## use the page in Firefox and Chromium, and let Lighthouse judge it
	@$(WITH_NODE) .venv/bin/python -m pytest --reruns $(RERUNS) tests/browsers

conformance: .venv/.dev .venv-lsdb/.done ## run astrocut's own tests against Tessera, and let lsdb, lightkurve and others read its products
	@.venv/bin/python -m pytest tests/conformance

bench: .venv/.dev .venv-tesscube-peer/.done ## measure speed and memory in 45 minutes (build/bench; ONLY=cubes or ONLY=cutouts/images for some)
	@.venv/bin/python tests/bench/run.py $(if $(ONLY),--only $(ONLY))

bench-quick: .venv/.dev ## compare speed and memory with the committed ratios, in three minutes (LOADED=yes on a busy machine)
	@.venv/bin/python tests/bench/quick.py $(if $(LOADED),--loaded)

mutants: .venv-mutants/.done ## change the pure modules in small ways, and list the changes that no test notices (MODULE)
	@.venv-mutants/bin/python tools/mutate.py --processes $(JOBS) $(MODULE)

clean: ## remove environments and build files; keep the data of the one-machine stack
	rm -rf .venv .venv-* .aws-sam build tools/node_modules tests/browsers/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

hooks: .venv/.dev ## let git run the quick checks before each commit
	.venv/bin/pre-commit install

# -- environments: a stamp is newer than the lock that it was made from ----------------------------------------------

INSTALL = tools/uv pip install --quiet --require-hashes --python $(@D)/bin/python --requirement $<
# Hundreds of processes start in these environments, and none of them should compile the packages again.
COMPILED = $(INSTALL) --compile-bytecode

# local.txt is a part of dev.txt, so one environment is enough for both.
.venv/.local: requirements/local.txt | .venv/bin/python
	$(COMPILED)
	@touch $@

.venv/.dev: requirements/dev.txt | .venv/bin/python
	$(COMPILED)
	@touch $@ .venv/.local

.venv-%/.done: requirements/%.txt | .venv-%/bin/python
	$(INSTALL)
	@touch $@

.venv-node/.done: requirements/node.txt | .venv-node/bin/python
	$(INSTALL)
	mkdir -p $(@D)/path
	ln -sf ../bin/node ../bin/npm $(@D)/path
	@touch $@

# The sources are on the path of .venv, in every working directory.
.venv/bin/python: | .venv-tools/.done
	tools/uv venv --quiet --python "$(PYTHON)" .venv
	@for source in $(SOURCES); do echo "$(CURDIR)/$$source"; done > $$(echo .venv/lib/python3.*/site-packages)/tessera.pth

.venv-%/bin/python: | .venv-tools/.done
	tools/uv venv --quiet --python "$(PYTHON)" .venv-$*

.venv-tools/.done: requirements/tools.txt
	@$(CHECK_MACHINE) --needed
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

%/node_modules/.done: %/package-lock.json | $(NODE_ENV)
	cd $* && $(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# -- locks: one resolution (dev), of which local and dependencies are parts ------------------------------------------

COMPILE := ../tools/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
  --no-emit-index-url --no-header

lock: | .venv-tools/.done $(NODE_ENV) ## resolve the requirements again (UPGRADE=--upgrade for the newest versions)
	cd requirements && $(COMPILE) $(UPGRADE) dev.in --output-file dev.txt
	cd requirements && $(COMPILE) --constraint dev.txt local.in --output-file local.txt
	cd requirements && $(COMPILE) --constraint dev.txt dependencies.in --output-file dependencies.txt
	for name in asdf tables; do (cd requirements && $(COMPILE) --constraint dev.txt \
	  $$(sed -En 's/^([A-Za-z0-9._-]+)==.*/--no-emit-package \1/p' dependencies.txt) $$name.in --output-file $$name.txt); done
	cd requirements && $(COMPILE) --constraint dev.txt mutants.in --output-file mutants.txt
	cd requirements && $(COMPILE) --constraint dev.txt docs.in --output-file docs.txt
	cd requirements && $(COMPILE) --constraint dev.txt ../layers/engine/pyproject.toml --output-file engine.txt
	cd requirements && $(COMPILE) --constraint dev.txt --extra all ../layers/engine/pyproject.toml --output-file engine-all.txt
	for name in dist sam checkov tools node astroquery lsdb tica-peer tesscube-peer tglc triceratops tessreduce ministack; do (cd requirements && $(COMPILE) $(UPGRADE) $$name.in --output-file $$name.txt); done
	for folder in tools tests/browsers; do (cd $$folder && $(WITH_NODE) npm install --package-lock-only --omit-lockfile-registry-resolved --loglevel=error); done
