# SPDX-License-Identifier: MIT
# make run · make test · make check · make bench: each sets up what it needs by itself.
.PHONY: help setup run test check bench bench-node score score-left-out score-drawn score-towns score-bound energy
.PHONY: pictures hardware power-loads mutants campaign-cuts campaign-year campaign-modem campaign-calm campaign-office
.PHONY: deb test-deb sbom firmware audit fuzz faults faults-real soak
.PHONY: format messages dashboards flash clean
ARGS ?=
JOBS ?= 2
BIN := .venv/bin

help:
	@echo "make run    a kahriz on this machine: http://127.0.0.1:8080   (ARGS='--leak-lps 3 …', see: make run ARGS=--help)"
	@echo "make test   every test, with the real parts                   (ARGS='tests/node -k journal')"
	@echo "make check  format, lint, types, import rules, generated files"
	@echo "make bench  speed, as ratios measured in one run"
	@echo "make score  what the detectors find in labelled readings (../shared/train) and in raw simulated ones"
	@echo "make score-left-out   every tuned limit chosen on the other sites and judged on the one left out (ARGS='--set kahriz')"
	@echo "make score-drawn      other leaks and trouble drawn into the recordings, found or not (ARGS='--set kahriz')"
	@echo "make score-towns · score-bound   towns drawn with two feeds and real people; the least leak that one meter can show"
	@echo "make bench-node · make energy        the node's size, heap and speed; how long a battery lasts (a model)"
	@echo "make campaign-cuts · campaign-year   power cuts and simulated lives by the thousand (ARGS='--cuts 1000')"
	@echo "make format · make clean         write the code as the checks want it; remove what was made"
	@echo "make pictures   take the screenshots of the docs and the help pages anew"
	@echo "make hardware · power-loads   draw wiring, labels and sheets anew; joules for the kits' budgets"
	@echo "make deb · make sbom · make test-deb   the gateway's package, its list of parts, its life in a chroot (root)"
	@echo "make firmware   the nodes' program as one file with its sums and list of parts, the same bytes twice"
	@echo "make audit · make fuzz   known weaknesses of what we lean on (needs the Internet); garbage against every parser"
	@echo "make faults · faults-real · soak   random faults on virtual time, on real processes, a quarter's load (ARGS='--runs 100 --seed 1')"
	@echo "make mutants   plant defects, one at a time, and see whether the tests turn red"
	@echo "make campaign-modem · campaign-calm  alarms through a hostile modem; ten calm years and a loss at their end"
	@echo "make campaign-office   dashboards and rules on a real InfluxDB and Grafana (INFLUX_URL, GRAFANA_URL, their tokens)"
	@echo "make flash PORT=/dev/ttyUSB0 NODE=outlet [SITE=…]   the node's program onto an ESP32"

setup:
	@scripts/setup

run: setup
	@exec $(BIN)/kahriz demo $(ARGS)

test: build/typings
	@scripts/setup --group oracle
	@scripts/parts
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup build/typings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file firmware/mypy.ini
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory messages dashboards
	@git diff --exit-code --stat -- '*.mo' server/grafana firmware/DRIVERS.md docs/alarms.md || { echo "check: generated files differ from their sources: commit what make messages dashboards wrote"; exit 1; }

build/typings: uv.lock | setup
	@mkdir -p build && rm -rf $@
	@PATH=".tools/bin:$$PATH" uv pip install --quiet --target $@ --no-deps \
	    micropython-esp32-esp32_generic-stubs==1.29.0.post1 micropython-stdlib-stubs==1.29.0.post2
	@touch $@

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: setup
	@$(BIN)/python scripts/messages.py
	@$(BIN)/python scripts/driver_pages.py
	@$(BIN)/python scripts/alarm_states.py

dashboards: setup
	@$(BIN)/kahriz server dashboards

bench: setup
	@$(BIN)/python scripts/bench.py $(ARGS)

score-left-out: setup
	@$(BIN)/python -m scripts.score_left_out $(ARGS)

score-drawn: setup
	@$(BIN)/python -m scripts.score_drawn $(ARGS)

score-towns score-bound:
	@scripts/setup --group oracle
	@$(BIN)/python -m scripts.$(subst -,_,$@) $(ARGS)

bench-node: setup
	@$(BIN)/python scripts/bench_node.py $(ARGS)

score: setup
	@$(BIN)/python scripts/score.py $(ARGS)

energy: setup
	@$(BIN)/python scripts/energy.py $(ARGS)

pictures: setup
	@KAHRIZ_PICTURES=1 $(BIN)/python -m pytest -q tests/page/test_pictures.py

power-loads: setup
	@$(BIN)/python scripts/power_loads.py $(ARGS)

hardware: setup
	@$(BIN)/python hardware/draw.py

mutants: setup
	@$(BIN)/python scripts/mutants.py $(ARGS)

campaign-cuts campaign-year campaign-modem campaign-calm campaign-office: setup
	@$(BIN)/python -m tests.campaigns.$(@:campaign-%=%) $(ARGS)

faults: setup
	@$(BIN)/python -m tests.campaigns.faults.campaign $(ARGS)

faults-real: setup
	@$(BIN)/python -m tests.campaigns.faults.real $(ARGS)

soak: setup
	@$(BIN)/python -m tests.campaigns.soak $(ARGS)

firmware: setup
	@mkdir -p dist; SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/kahriz node release bundle --out dist $(ARGS)

audit: setup
	@$(BIN)/python scripts/audit.py

fuzz:
	@scripts/setup --group fuzz
	@$(BIN)/python -m tests.attacks.fuzz $(ARGS)

deb: setup
	@$(BIN)/python scripts/deb.py $(ARGS)

sbom: setup
	@mkdir -p dist
	@PATH=".tools/bin:$$PATH" uv export --quiet --locked --all-extras --no-dev --format cyclonedx1.5 \
	    --preview-features sbom-export --output-file dist/kahriz-monitor.cdx.json >/dev/null
	@echo dist/kahriz-monitor.cdx.json

test-deb: setup
	@$(BIN)/python -m tests.campaigns.deb $(ARGS)

flash: setup
	@test -n "$(PORT)" -a -n "$(NODE)" || { echo "make flash PORT=/dev/ttyUSB0 NODE=outlet [SITE=folder]"; exit 2; }
	@$(BIN)/kahriz node flash --port $(PORT) --node $(NODE) $(if $(SITE),--site $(SITE)) $(ARGS)

clean:
	rm -rf .venv .tools build dist demo-data
