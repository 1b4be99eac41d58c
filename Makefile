# Each target sets up what it needs; `make demo` and `make test` work on a fresh clone.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3

# One more at a time than there are cores, the longest files first (tests/conftest.py); those of a
# file share what they made.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Of the core and detect, those that need nothing but their dependencies: no learner is trained.
LOWEST_TESTS := tests/core/test_dataset.py tests/core/test_images.py tests/core/test_image_shards.py \
    tests/core/test_registry.py tests/core/test_run_directory.py \
    tests/core/test_signatures.py tests/detect \
    --ignore=tests/detect/test_early_stop.py --ignore=tests/detect/test_lstm_training.py

# Those that need no data; benchmarks/detection.py says what it needs.
BENCHMARKS := startup dataset training_speed detection_speed

.PHONY: demo test lowest check docs bench browser dist clean

demo: $(VENV)/ready
	$(BIN)/adc gallery --export runs/gallery -- \
	    $(BIN)/adc run docs/examples/digits.yaml --out runs/demo

test: $(VENV)/ready browser
	$(PYTEST)

# The core and detect with the lowest direct versions that they allow.
lowest: $(VENV)/ready
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python tests/packaging/lowest_versions.py > $(VENV)-lowest/versions.txt
	$(VENV)-lowest/bin/python -m pip install --quiet -r $(VENV)-lowest/versions.txt \
	    hypothesis pytest pytest-timeout
	$(VENV)-lowest/bin/python -m pip install --quiet --no-deps --editable ./adc_core \
	    --editable ./adc_plugins_detect
	$(VENV)-lowest/bin/python -m pytest $(LOWEST_TESTS)

check: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy adc_core/src
	$(BIN)/mypy adc_endpoint/src
	$(BIN)/mypy adc_plugins_search/src
	$(BIN)/mypy adc_plugins_detect/src
	$(BIN)/mypy adc_plugins_learn/src
	$(BIN)/mypy adc_plugins_publish/src
	$(BIN)/mypy adc_plugins_rehearse/src
	$(BIN)/mypy adc_plugins_review/src
	$(BIN)/mypy adc_plugins_compare/src
	$(BIN)/mypy adc_plugins_ask/src
	$(BIN)/mypy --config-file= --strict tests/packaging/consumer
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: $(VENV)/ready
	$(BIN)/mkdocs serve

bench: $(VENV)/ready
	for program in $(BENCHMARKS); do $(BIN)/python benchmarks/$$program.py || exit 1; done

# Editable, so that a change of the sources needs no new installation.
$(VENV)/ready: constraints.txt pyproject.toml $(wildcard adc_*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev \
	    --editable ./adc_core --editable ./adc_endpoint --editable "./adc_plugins_search[opencv]" \
	    --editable "./adc_plugins_detect[index,resampling]" \
	    --editable "./adc_plugins_learn[timm,open-clip,transformers,onnx]" \
	    --editable ./adc_plugins_publish --editable "./adc_plugins_rehearse[digits]" \
	    --editable "./adc_plugins_review[web]" --editable ./adc_plugins_compare \
	    --editable ./adc_plugins_ask
	touch $@

# The report is looked at in a real browser.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	    { apt-get update -qq && apt-get install -y -qq chromium; } || \
	    echo "no Chromium: the browser tests will be skipped" >&2

# Every wheel and sdist, built twice and checked, with sums and a bill of materials.
dist: $(VENV)/ready
	$(BIN)/python release/build_distributions.py dist

clean:
	rm -rf $(VENV) $(VENV)-lowest runs site dist
