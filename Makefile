# What one does with this checkout. Everything is built into $(VENV); nothing needs root.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 4
TESTS ?= tests
ARGS ?=
SECONDS ?= 60
CALLS ?= 100000
COUNT ?= 20
SEED ?= 1
PATHS ?= ext scopetrace
SUITES ?= build/suites
ONLY ?=
MODES ?= native traced gated

BIN := $(abspath $(VENV))/bin
CLANG_FORMAT ?= clang-format
# Each process of pytest compiles every test module anew unless it may write what it makes of them.
KEEPING_BYTECODE := PYTHONDONTWRITEBYTECODE=

engine := $(shell find ext -name '*.[ch]' -o -name '*.def' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.inc')
package := $(shell find scopetrace -name '*.py' -o -name '*.pyi' -o -name '*.pxd' -o -name '*.txt' -o -name 'page.*') scope.yml
launcher := launcher/scopetrace.c
c_files := $(filter %.c,$(engine)) $(launcher)
c_style := $(filter %.c %.h,$(engine)) $(launcher) $(wildcard tests/tracees/*.[ch] tests/fuzz/*.c tests/gate/*.[ch])

.PHONY: help demo test lint format docs tables pictures fuzz fuzz-engine torture mutants bench clean

help: ## Print this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

demo: $(VENV)/.built ## Build into .venv, record examples/log.py, print its summary
	@rm -rf build/demo && mkdir -p build/demo
	cd build/demo && SCOPETRACE_HOME=sessions $(BIN)/scopetrace run --summary python3 ../../examples/log.py
	@echo
	@echo "That is the summary. All that python3 did is in the session:"
	@echo "    SCOPETRACE_HOME=build/demo/sessions $(VENV)/bin/scopetrace events --all"
	@echo "Now you: . $(VENV)/bin/activate, then follow examples/README.md"

test: $(VENV)/.tools ## Build into .venv and run all tests (TESTS=tests/x ARGS=-k… for some; THOROUGH=1)
	$(KEEPING_BYTECODE) $(BIN)/pytest -n $(JOBS) $(ARGS) $(TESTS)

lint: $(VENV)/.tools ## Check style and types of Python and C
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(CC) -fsyntax-only -std=gnu11 -Wall -Wextra -Werror -Iext -D_GNU_SOURCE \
	    -DSCOPE_ARCH_H='"arch/$(shell uname -m).h"' -DFIRST_FLAGS= -DRUN_OPTIONS= -DRUN_SHORT_OPTIONS= -DFIRST_WORDS= $(c_files)
	@$(CLANG_FORMAT) --version 2>/dev/null | grep -q 'version 14\.' \
	    || { echo 'clang-format 14 is not here: the layout of C is not checked'; exit 0; } \
	    && $(CLANG_FORMAT) --dry-run -Werror $(c_style)

format: $(VENV)/.tools ## Lay out Python and C as lint wants it
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .
	$(CLANG_FORMAT) -i $(c_style)

docs: $(VENV)/.built ## Write the documents that are made from the code (docs/generate.py)
	$(BIN)/python docs/generate.py

tables: $(VENV)/.built ## Write the names of flags and values from the headers here (tables/generate.py)
	$(BIN)/python tables/generate.py

pictures: $(VENV)/.tools ## Take the pictures of README.md (needs chromium)
	docs/pictures/take.sh $(BIN)/scopetrace

fuzz: $(VENV)/.tools ## Fuzz the parsers of what strangers sent, for SECONDS (60)
	$(BIN)/pip install --quiet --disable-pip-version-check atheris
	$(BIN)/python tests/fuzz/readers.py -max_total_time=$(SECONDS) -max_len=3000

fuzz-engine: $(VENV)/.tools ## Record a program that makes CALLS (100000) random system calls
	$(BIN)/python -P tests/fuzz/engine.py --calls $(CALLS)

torture: $(VENV)/.tools ## Run tests of ext/gate at length; or foreign suites (SUITE="git perl", tests/suites)
ifdef SUITE
	$(BIN)/python tests/suites --folder "$(SUITES)" --only "$(ONLY)" --modes "$(MODES)" $(SUITE)
else
	TORTURE=1 $(KEEPING_BYTECODE) $(BIN)/pytest -n $(JOBS) $(ARGS) tests/gate
	SCOPE_GATE=eager $(KEEPING_BYTECODE) $(BIN)/pytest -n $(JOBS) $(ARGS) tests/engine tests/programs tests/recorder
endif

mutants: $(VENV)/.tools ## Alter the code in COUNT (20) places, report what no test notices (SEED=1)
	$(BIN)/pip install --quiet --disable-pip-version-check 'cosmic-ray>=8.4,<9' 'cython>=3.1' 'setuptools>=77'
	$(BIN)/python tests/mutants --count $(COUNT) --seed $(SEED) --jobs $(JOBS) $(PATHS)

bench: $(VENV)/.built ## Measure against native and strace, print the table
	$(BIN)/pip install --quiet --disable-pip-version-check 'scopetrace[dash]'
	$(BIN)/python bench

clean: ## Remove what the other targets made
	rm -rf .venv build dist *.egg-info

# The package goes into the environment as users get it, not as a link to this checkout.
$(VENV)/.built: pyproject.toml setup.py MANIFEST.in $(engine) $(launcher) $(package)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@find build/lib* -type f ! -name '*.so' -delete 2>/dev/null || true
	$(BIN)/pip install --quiet --disable-pip-version-check .
	@touch $@

$(VENV)/.tools: $(VENV)/.built
	$(BIN)/pip install --quiet --disable-pip-version-check 'scopetrace[test,lint]'
	@touch $@
