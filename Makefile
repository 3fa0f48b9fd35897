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

help: ## list the doors
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/' | expand -t 22

setup: ## install everything a run needs (the other doors call it)
	@scripts/setup.sh

demo: ## archives spoken here, through Airflow, to a word error rate  [SEED=1]
	@scripts/setup.sh --demo
	@$(PYTHON_RUN) -m demo --seed $(SEED)

real: ## the same chain on real archives  DATA=DIR
	@if [ -z "$(DATA)" ]; then echo "make real: name the directory of the archives, e.g. make real DATA=/data/speech" >&2; exit 2; fi
	@scripts/setup.sh --demo
	@$(PYTHON_RUN) -m demo real --data "$(DATA)"

test: ## set up and run the tests (under 10 minutes)
	@scripts/setup.sh
	@ctest --test-dir build/native --output-on-failure --no-tests=error
	@$(PYTHON_RUN) -m pytest -m "not slow"

test-all: ## the heavier checks: Slurm, PostgreSQL, browser, faults, sanitizers
	@scripts/setup.sh --all
	@scripts/sanitize.sh
	@$(PYTHON_RUN) -m pytest -m slow --timeout 900

bench-import: setup ## our import beside its peers, CPU seconds per hour  [HOURS=5] [JSON=FILE] [SPH2PIPE=PATH]; lhotse brings torch (5 GB)
	@benchmarks/peers.sh lhotse librosa sph2pipe
	@$(PYTHON_RUN) -m benchmarks.importing --hours $(or $(HOURS),5) $(if $(JSON),--json $(JSON))

soak-import: setup ## the fault campaign over all importers, with counts  [SEED=1] [COUNT=600] [KILLS=200]
	@$(PYTHON_RUN) scripts/soak_import.py --seed $(SEED) --count $(or $(COUNT),600) --kills $(or $(KILLS),200)

soak-scoring: setup ## random transcripts against NIST's sclite, with counts  SCLITE=PATH [SEED=1] [COUNT=10000]
	@if [ -z "$(SCLITE)" ]; then echo "make soak-scoring: name the program of NIST's SCTK, e.g. make soak-scoring SCLITE=/opt/sctk/bin/sclite" >&2; exit 2; fi
	@$(PYTHON_RUN) tests/heavy/soak_scoring.py --sclite "$(SCLITE)" --seed $(SEED) --count $(or $(COUNT),10000)

lint: setup ## types, style, C++ format
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy native store corpora lm scoring training launcher collect demo scripts benchmarks
	@if command -v clang-format >/dev/null; then git ls-files 'native/*.h' 'native/*.cpp' | xargs clang-format --dry-run -Werror; else echo "clang-format is not installed: C++ format not checked (make test-all installs it)" >&2; fi

format: setup ## bring all sources into shape
	@.venv/bin/ruff check --fix-only -q . ; .venv/bin/ruff format -q .
	@if command -v clang-format >/dev/null; then git ls-files 'native/*.h' 'native/*.cpp' | xargs clang-format -i; fi

licences: setup ## check the licence of every dependency
	@$(PYTHON_RUN) scripts/licences.py

lock: setup ## pin every version anew from requirements.in
	@.venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.lock

bench-import-again: setup ## what a second import costs, and memory against size  [HOURS=5]
	@$(PYTHON_RUN) benchmarks/import_again.py $(or $(HOURS),5)

corpora: setup ## list the published corpora
	@$(PYTHON_RUN) -m corpora list

lm: setup ## build and publish a language model  [TEXT='a.txt b.xz'] [CORPORA='x y'] [ORDER=3] [NAME=default] [PRUNE='0 0 1'] [BINARY=trie] [QUANTISE=8]
	@$(PYTHON_RUN) -m lm build --publish $(NAME) $(if $(ORDER),--order $(ORDER)) $(if $(TEXT),--text $(TEXT)) $(if $(CORPORA),--corpora $(CORPORA)) \
	  $(if $(PRUNE),--prune $(PRUNE)) $(if $(BINARY),--binary $(BINARY)) $(if $(QUANTISE),--quantise $(QUANTISE))

lm-sweep: setup ## perplexity against size, to choose a language model  [TEXT='a.txt'] [CORPORA='x y'] [NAME=default]
	@$(PYTHON_RUN) -m lm sweep --name $(NAME) $(if $(TEXT),--text $(TEXT)) $(if $(CORPORA),--corpora $(CORPORA))

train: setup ## train a network  [CONFIG=training/config.example.toml]
	@$(PYTHON_RUN) -m training run --config $(CONFIG)

evaluate: setup ## measure a run  MODEL=RUN CORPUS=NAME [SPLIT=test] [LM=DIR]
	@if [ -z "$(MODEL)" ] || [ -z "$(CORPUS)" ]; then echo "make evaluate: name the run and the corpus, e.g. make evaluate MODEL=<run> CORPUS=librispeech (make status lists the runs)" >&2; exit 2; fi
	@$(PYTHON_RUN) -m training evaluate --model $(MODEL) --corpus $(CORPUS) --split $(SPLIT) --lm $(LM)

bench-decoder: setup ## the decoder beside its peers, CPU time and word error rates  TEXT=PATH [SEED=1] [JSON=FILE] [STORE=DIR]
	@if [ -z "$(TEXT)" ]; then echo "make bench-decoder: name prose to make inputs from (a tar of .txt, a folder, one file), e.g. make bench-decoder TEXT=novels.tar.xz" >&2; exit 2; fi
	@benchmarks/peers.sh flashlight pyctcdecode fast-ctc-decode
	@$(PYTHON_RUN) -m benchmarks.decoder --text $(TEXT) --seed $(SEED) $(if $(JSON),--json $(JSON)) $(if $(STORE),--store $(STORE))

soak-native: ## fuzz the native library  [SEED=1] [HOURS=1 or SECONDS=600 for each target] [TARGETS='fuzz_npy …']
	@scripts/setup.sh --all
	@SEED=$(SEED) HOURS=$(HOURS) SOAK_SECONDS=$(SECONDS) TARGETS="$(TARGETS)" scripts/soak_native.sh

bench-corrector: setup ## the spell corrector beside plain Python, CPU time  TEXT=PATH [SEED=1]
	@if [ -z "$(TEXT)" ]; then echo "make bench-corrector: name prose to make inputs from, e.g. make bench-corrector TEXT=novels.tar.xz" >&2; exit 2; fi
	@$(PYTHON_RUN) -m benchmarks.corrector --text $(TEXT) --seed $(SEED)
.PHONY: bench-corrector

status: setup ## list the training runs
	@$(PYTHON_RUN) -m training status

report: setup ## write the report pages into the store
	@$(PYTHON_RUN) -m training report

airflow-start: setup ## start Airflow on 127.0.0.1 and print where to log in
	@$(PYTHON_RUN) -m launcher start

airflow-stop: ## stop Airflow, all of it
	@$(PYTHON_RUN) -m launcher stop

airflow-status: ## what of Airflow runs, and where
	@$(PYTHON_RUN) -m launcher status

airflow-logs: ## the newest lines of every component's log
	@$(PYTHON_RUN) -m launcher logs

bench-trie: setup ## the lexicon trie beside OpenFST  [TEXT='a.txt b.tar.xz'] [SIZES='83000 370000']
	@$(PYTHON_RUN) -m benchmarks.lexicon_trie $(if $(TEXT),--text $(TEXT)) $(if $(SIZES),--sizes $(SIZES))

bench-lm: setup ## processor time of a language model's build beside bare KenLM  TEXT=PATH [JSON=FILE]
	@if [ -z "$(TEXT)" ]; then echo "make bench-lm: name the text, e.g. make bench-lm TEXT=novels.tar.xz" >&2; exit 2; fi
	@$(PYTHON_RUN) -m benchmarks.lm --text $(TEXT) $(if $(JSON),--json $(JSON))
.PHONY: bench-lm
bench-flac: setup ## the FLAC decoder beside libFLAC, CPU time  [SEED=1] [JSON=FILE]
	@$(PYTHON_RUN) -m benchmarks.flac --seed $(SEED) $(if $(JSON),--json $(JSON))
.PHONY: bench-flac
bench-shorten: setup ## the shorten decoder beside ffmpeg, CPU time  [SEED=1] [JSON=FILE]
	@$(PYTHON_RUN) -m benchmarks.shorten --seed $(SEED) $(if $(JSON),--json $(JSON))
.PHONY: bench-shorten
bench-sound: setup ## what the figures of a sound cost, and which copies its fingerprint finds  FOLDER=PATH [JSON=FILE]
	@if [ -z "$(FOLDER)" ]; then echo "make bench-sound: name a folder of speech (FLAC or WAV), e.g. make bench-sound FOLDER=LJSpeech-1.1/wavs" >&2; exit 2; fi
	@$(PYTHON_RUN) -m benchmarks.sound $(FOLDER) $(if $(JSON),--json $(JSON))
.PHONY: bench-sound

collect: setup ## the recording and listening service on 127.0.0.1  [PORT=8090]
	@$(PYTHON_RUN) -m collect serve --port $(or $(PORT),8090)
.PHONY: collect

clean: ## remove builds and everything runs have written (var, build), not .venv
	@if [ -x $(PYTHON_RUN) ]; then $(PYTHON_RUN) -m launcher stop || true; fi
	rm -rf build var

.PHONY: bench-import soak-import soak-scoring lm-sweep bench-trie bench-decoder soak-native help setup demo real test test-all lint format licences lock corpora lm train evaluate status report \
	airflow-start airflow-stop airflow-status airflow-logs clean
