# One word per job; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
CODEC := setup.py $(wildcard fix_engine/native/*.[ch] sessions/native/*.[ch] exchange/native/*.[ch])
ARGS ?=
# What `make test` runs a second time, with the codec in plain Python.
BOTH := tests/fix_engine tests/scenarios tests/sessions/journal/test_gathering.py tests/sessions/test_nonsense.py \
  tests/fuzz/test_differential.py

# Further arguments for the parts of `make sim`, such as VENUE="--seed 7".
SESSIONS ?=
MATCHING ?=
VENUE ?=

.DEFAULT_GOAL := help
.PHONY: help install run screens demo test check format interop judge fuzz fuzz-codec guided crash docs lock clean
.PHONY: sim sim-sessions sim-matching
.PHONY: bench bench-check bench-peers bench-scale bench-pauses bench-durability bench-resend bench-sessions bench-restart bench-market-data
.PHONY: bench-screens

help: ## list these jobs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# Two terminals may ask for it at once: the second waits for the first.
ONE_AT_A_TIME := $(shell command -v flock >/dev/null && echo flock .install.lock)

install: ## make .venv with everything pinned, and .venv/bin/seamark in it
	@$(ONE_AT_A_TIME) $(MAKE) --silent $(READY)

$(READY): pyproject.toml requirements.txt $(CODEC)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Seamark needs Python 3.11 or later; run: make PYTHON=python3.11 install"; exit 1; }
	@echo "Preparing $(VENV) (once; about half a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'from fix_engine import codec; codec.is_built() or \
	  print("No C compiler that can build for this Python: the codec runs in plain Python.")'
	@touch $@

run: install ## start the venue with its embedded defaults (ARGS="--port 9881" and so on)
	@exec $(BIN)/seamark serve $(ARGS)

screens: install ## a page and a WebSocket with the market of the running venue (ARGS="--port 9891")
	@exec $(BIN)/seamark screens $(ARGS)

demo: install ## two clients trade against the running venue
	@$(BIN)/seamark demo $(ARGS)

# Tests start dozens of processes, and each would compile all of the house once more.
test: export PYTHONDONTWRITEBYTECODE :=
test: install ## the tests, and those that the codec has a part in on both codecs
	@$(BIN)/python -m pytest --numprocesses auto $(ARGS)
	@$(if $(ARGS),,SEAMARK_CODEC=python $(BIN)/python -m pytest --numprocesses auto $(BOTH))

check: install ## formatting, lint, types, house rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_tidy.py

format: install ## put the code into its format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

interop: install ## real FIX engines as clients: QuickFIX in Java, C++ and Go (needs their compilers)
	@$(BIN)/python -m tests.interop $(ARGS)

sim: install ## a minute of sessions, then a million commands against naive twins (VENUE="--seed 7")
	@echo "1 of 3: two session machines over a bad network, for a minute"
	@$(BIN)/python -m tests.sim --seconds 60 $(SESSIONS) $(ARGS)
	@echo "2 of 3: the matching engine beside a naive one, 500,000 commands"
	@$(BIN)/python -m tests.matching --commands 500000 $(MATCHING)
	@echo "3 of 3: the venue before its judges, one of them a naive venue, 500,000 commands"
	@$(BIN)/python -m tests.judge --commands 500000 $(VENUE)

sim-sessions: install ## simulate sessions until something breaks (ARGS="--seconds 60")
	@$(BIN)/python -m tests.sim $(ARGS)

sim-matching: install ## both matching engines, command by command (ARGS="--commands 1000000 --seed 7")
	@$(BIN)/python -m tests.matching $(ARGS)

judge: install ## the whole venue before its judges (ARGS="--commands 1000000 --seed 7")
	@$(BIN)/python -m tests.judge $(ARGS)

fuzz: install ## hostile input to a real venue (ARGS="--inputs 1000000 --seed 7")
	@$(BIN)/python -m tests.fuzz live $(ARGS)

guided: ## coverage-guided fuzzing of codec, machine and validator, in a .venv-fuzz of its own
	@test -x .venv-fuzz/bin/python || $(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --only-binary :all: -r requirements-fuzz.txt
	@SEAMARK_CODEC=python .venv-fuzz/bin/python -m tests.fuzz.guided $(ARGS)

fuzz-codec: install ## the compiled codec beside the plain one (ARGS="--inputs 5000000 --seed 7")
	@$(BIN)/python -m tests.fuzz codec $(ARGS)

crash: install ## kill a venue hundreds of times (ARGS="--kills 500 --durability fsync --power-cut")
	@$(BIN)/python -m tests.crash $(ARGS)

bench: install ## the order path by stages, then over TCP at each durability; four minutes
	@$(BIN)/python -m bench $(ARGS)

bench-check: install ## count the instructions of the order path, and compare (needs valgrind; two minutes)
	@$(BIN)/python -m bench.instructions $(ARGS)

bench-peers: install ## Seamark beside QuickFIX in C++, Java and Go (needs their compilers)
	@$(BIN)/python -m bench.peers $(ARGS)

bench-scale: install ## the cost of an order as the venue grows, and what things weigh; long
	@$(BIN)/python -m bench.scale $(ARGS)

bench-pauses: install ## the longest turns while a book grows to a million orders, and what of them is the collector
	@$(BIN)/python -m bench.pauses $(ARGS)

bench-durability: install ## fsync, os and memory side by side, and group commit; ten minutes
	@$(BIN)/python -m bench.durability $(ARGS)

bench-resend: install ## a million messages resent while another session trades (ARGS="--cold")
	@$(BIN)/python -m bench.resend $(ARGS)

bench-sessions: install ## 10,000 sessions: heartbeats, orders, storms of logons; four minutes
	@$(BIN)/python -m bench.sessions $(ARGS)

bench-restart: install ## starts and tools on ten million messages (ARGS="--data DIR" keeps them)
	@$(BIN)/python -m bench.restart $(ARGS)

bench-market-data: install ## orders while 1,000 sessions read market data
	@$(BIN)/python -m bench.market_data $(ARGS)

bench-screens: install ## orders without and with 200 screens (ARGS="--clients 1000")
	@$(BIN)/python -m bench.screens $(ARGS)

docs: install ## print again the parts of docs/ that come from the code
	@$(BIN)/python -m tests.support.docs

lock: install ## pin the newest allowed dependencies again, with hashes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --extra dev --no-emit-index-url --no-annotate --no-header pyproject.toml --output-file requirements.txt

clean: ## remove what `make install` made (never your data)
	rm -rf build fix_engine/*.so sessions/journal/*.so $(VENV) .venv-fuzz .fuzz-corpus* .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
