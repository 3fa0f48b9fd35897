# The doors of speechmill. `make help` lists them; each does its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:

export SPEECHMILL_ROOT := $(CURDIR)
export SPEECHMILL_STORE ?= $(CURDIR)/var/store
include scripts/environment.mk

PYTHON_RUN := .venv/bin/python
SEED ?= 1
NAME ?= default
CONFIG ?= training/config.example.toml
LM ?= $(SPEECHMILL_STORE)/language_models/$(NAME)/current
SPLIT ?= test
PACKAGES := native store corpora lm scoring training launcher collect demo scripts benchmarks
# Variables that benchmarks understand (python -m benchmarks lists which one takes which).
export TEXT HOURS JSON STORE SIZES FOLDER SEED ROWS REFRESHES SOUND WIDTH

help: ## list the doors
	@awk -F':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z%-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Use it
demo: ## archives spoken here, through Airflow, to a word error rate  [SEED=1]
	@scripts/setup.sh --demo
	@$(PYTHON_RUN) -m demo --seed $(SEED)

real: ## the same chain on a folder of real archives  DATA=DIR
	@if [ -z "$(DATA)" ]; then echo "make real: name the directory of the archives, e.g. make real DATA=/data/speech" >&2; exit 2; fi
	@scripts/setup.sh --demo
	@$(PYTHON_RUN) -m demo real --data "$(DATA)"

journey: setup ## real speech to figures, by commands alone  DATA=DIR [OCEAN=DIR [OUTPUTS=DIR]] [ONLY='an4 digits'] [MINUTES=]
	@if [ -z "$(DATA)" ]; then echo "make journey: name the directory of the archives, e.g. make journey DATA=/data/speech" >&2; exit 2; fi
	@$(PYTHON_RUN) -m demo journey --data "$(DATA)" $(if $(OCEAN),--ocean "$(OCEAN)") $(if $(OUTPUTS),--outputs "$(OUTPUTS)") $(if $(ONLY),--only $(ONLY)) $(if $(MINUTES),--minutes $(MINUTES))

corpora: setup ## list the published corpora
	@$(PYTHON_RUN) -m corpora list

lm: setup ## build and publish a language model  [TEXT='a.txt b.xz'] [CORPORA='x y'] [ORDER= NAME= PRUNE= BINARY= QUANTISE=]
	@$(PYTHON_RUN) -m lm build --publish $(NAME) $(if $(ORDER),--order $(ORDER)) $(if $(TEXT),--text $(TEXT)) $(if $(CORPORA),--corpora $(CORPORA)) \
	  $(if $(PRUNE),--prune $(PRUNE)) $(if $(BINARY),--binary $(BINARY)) $(if $(QUANTISE),--quantise $(QUANTISE))

lm-sweep: setup ## perplexity against size, to choose a language model  [TEXT= CORPORA= NAME=]
	@$(PYTHON_RUN) -m lm sweep --name $(NAME) $(if $(TEXT),--text $(TEXT)) $(if $(CORPORA),--corpora $(CORPORA))

train: setup ## train a network  [CONFIG=training/config.example.toml]
	@$(PYTHON_RUN) -m training run --config $(CONFIG)

evaluate: setup ## measure a run  MODEL=RUN CORPUS=NAME [SPLIT=test] [LM=DIR]
	@if [ -z "$(MODEL)" ] || [ -z "$(CORPUS)" ]; then echo "make evaluate: name the run and the corpus, e.g. make evaluate MODEL=<run> CORPUS=librispeech (make status lists the runs)" >&2; exit 2; fi
	@$(PYTHON_RUN) -m training evaluate --model $(MODEL) --corpus $(CORPUS) --split $(SPLIT) --lm $(LM)

status: setup ## list the training runs
	@$(PYTHON_RUN) -m training status

report: setup ## write the report pages into the store
	@$(PYTHON_RUN) -m training report

collect: setup ## the recording and listening service on 127.0.0.1  [PORT=8090]
	@$(PYTHON_RUN) -m collect serve --port $(or $(PORT),8090)

collect-demo: setup ## 20 invented volunteers in Chromium, from sentences to a retrained network, with figures  [SEED=1]
	@scripts/setup.sh --all
	@$(PYTHON_RUN) -m demo.collecting --seed $(SEED)

##@ Airflow
airflow-start: setup ## start Airflow on 127.0.0.1 and print where to log in
	@$(PYTHON_RUN) -m launcher start

airflow-stop: ## stop Airflow, all of it
	@$(PYTHON_RUN) -m launcher stop

airflow-status: ## what of Airflow runs, and where
	@$(PYTHON_RUN) -m launcher status

airflow-logs: ## the newest lines of every component's log
	@$(PYTHON_RUN) -m launcher logs

##@ Develop
setup: ## install everything a run needs (the other doors call it)
	@scripts/setup.sh

test: ## set up and run the tests (under 10 minutes)
	@scripts/setup.sh
	@ctest --test-dir build/native --output-on-failure --no-tests=error
	@$(PYTHON_RUN) -m pytest -n 2 -m "not slow"

test-all: ## the heavier checks: Slurm, PostgreSQL, browser, faults, sanitizers
	@scripts/setup.sh --all
	@scripts/sanitize.sh
	@$(PYTHON_RUN) -m pytest -m "slow and not alone" --timeout 900
	@$(PYTHON_RUN) -m pytest -m alone --timeout 900

team-server-check: ## execute docs/team-server.md, on a Debian 12 that may be thrown away only (SPEECHMILL_THROW_AWAY=1)
	@python3 scripts/team_server_check.py

upgrade-test: setup ## what an earlier version made opens with this one  [FROM=v0.1.0]
	@$(PYTHON_RUN) scripts/upgrade_test.py --from $(or $(FROM),v0.1.0)

lint: setup ## types, style, C++ format
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy $(PACKAGES)
	@if command -v clang-format >/dev/null; then git ls-files 'native/*.h' 'native/*.cpp' | xargs clang-format --dry-run -Werror; else echo "clang-format is not installed: C++ format not checked (make test-all installs it)" >&2; fi

format: setup ## bring all sources into shape
	@.venv/bin/ruff check --fix-only -q . ; .venv/bin/ruff format -q .
	@if command -v clang-format >/dev/null; then git ls-files 'native/*.h' 'native/*.cpp' | xargs clang-format -i; fi

docs: setup ## build the documentation site, offline and strict, into build/site
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet --site-dir build/site
	@echo "the site stands in build/site; open build/site/index.html"

wheel: setup ## the installable package into dist/, for x86-64  [ARCH='x86_64 aarch64'] [PYTHONS='python3.12 …']
	@ARCH="$(ARCH)" PYTHONS="$(PYTHONS)" scripts/wheel/make.sh

wheel-matrix: setup ## a wheel for every CPython from 3.10 on that this machine has, installed and used; says which are missing
	@$(PYTHON_RUN) -m scripts.wheel.matrix

licences: setup ## check the licence of every dependency
	@$(PYTHON_RUN) scripts/licences.py

lock: setup ## pin every version anew from requirements.in
	@.venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.lock
	@sed 's/^tensorflow-cpu==/tensorflow[and-cuda]==/' requirements.in | .venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate -c requirements.lock - -o var/tmp/gpu.lock && $(PYTHON_RUN) scripts/gpu_lock.py var/tmp/gpu.lock

bench-inference: setup ## the recognizer in every form, by width  SOUND=FILE [TEXT=FILE] [JSON=FILE]
	@if [ -z "$(SOUND)" ]; then echo "make bench-inference: name a recording, e.g. make bench-inference SOUND=talk.wav" >&2; exit 2; fi
	@$(PYTHON_RUN) -m benchmarks.inference --sound "$(SOUND)" $(if $(TEXT),--text "$(TEXT)") $(if $(JSON),--json "$(JSON)")
.PHONY: bench-inference

bench-align: setup ## alignment of recordings with planted faults  [HOURS=5] [FAULTS=600] [SEED=1]
	@$(PYTHON_RUN) -m benchmarks.align --hours $(or $(HOURS),5) --faults $(or $(FAULTS),600) --seed $(SEED)
	@$(PYTHON_RUN) -m benchmarks.align --hours $(or $(HOURS),5) --goal --seed $(SEED)
.PHONY: bench-align

clean: ## remove builds and everything runs have written (var, build), not .venv
	@if [ -x $(PYTHON_RUN) ]; then $(PYTHON_RUN) -m launcher stop || true; fi
	rm -rf build var

##@ Measure and torture
bench-%: setup ## beside its peers: bench-import bench-decoder bench-lm … ; `python -m benchmarks` lists all and what they take
	@$(PYTHON_RUN) -m benchmarks $*

soak-texts: setup ## odd donated texts, imported and listened to, with counts  [SEED=1] [COUNT=600]
	@$(PYTHON_RUN) tests/heavy/soak_texts.py --seed $(SEED) --count $(or $(COUNT),600)

soak-import: setup ## the fault campaign over all importers, with counts  [SEED=1] [COUNT=600] [KILLS=200] [KINDS=600] [DISKS=12] [PAIRS=no]
	@$(PYTHON_RUN) scripts/soak_import.py --seed $(SEED) --count $(or $(COUNT),600) --kills $(or $(KILLS),200) --kinds $(or $(KINDS),600) --disks $(or $(DISKS),12)$(if $(filter no,$(PAIRS)), --no-pairs)

soak-airflow: setup ## refreshes in a loop while parts of Airflow are killed, with counts  [SEED=1] [COUNT=50]
	@$(PYTHON_RUN) -m tests.heavy.soak_airflow --seed $(SEED) --count $(or $(COUNT),50)

soak-store: setup ## damage to a published store, with counts  [SEED=1] [COUNT=200]
	@$(PYTHON_RUN) -m tests.heavy.soak_store --seed $(SEED) --count $(or $(COUNT),200)

soak-training: setup ## trainings killed, torn, starved of disk, with counts  [SEED=1] [COUNT=50]
	@$(PYTHON_RUN) -m tests.heavy.soak_training --seed $(SEED) --count $(or $(COUNT),50)

slurm-demo: ## a search over settings on a real Slurm of two nodes, started here and stopped again (root)
	@scripts/setup.sh --all
	@$(PYTHON_RUN) -m tests.heavy.slurm_demo

soak-scoring: setup ## random transcripts against NIST's sclite, with counts  SCLITE=PATH [SEED=1] [COUNT=10000]
	@if [ -z "$(SCLITE)" ]; then echo "make soak-scoring: name the program of NIST's SCTK, e.g. make soak-scoring SCLITE=/opt/sctk/bin/sclite" >&2; exit 2; fi
	@$(PYTHON_RUN) tests/heavy/soak_scoring.py --sclite "$(SCLITE)" --seed $(SEED) --count $(or $(COUNT),10000)

soak-native: ## fuzz the native library  [SEED=1] [HOURS=1 or SECONDS=600 for each target] [TARGETS='fuzz_npy …']
	@scripts/setup.sh --all
	@SEED=$(SEED) HOURS=$(HOURS) SOAK_SECONDS=$(SECONDS) TARGETS="$(TARGETS)" scripts/soak_native.sh

.PHONY: $(shell sed -nE 's/^([a-z-]+):.*/\1/p' $(firstword $(MAKEFILE_LIST)))
