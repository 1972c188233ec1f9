#!/bin/sh
# Make .venv from the lock. uv does it in seconds; where uv cannot be had, pip does it in minutes.
set -eu
python=${1:-python3}

"$python" - <<'PY' || exit 2
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"setup: python3 is {found}; 3.11, 3.12 or 3.13 is needed. "
             "Name another one: make setup PYTHON=python3.12")
PY

if [ ! -x .venv/bin/python ]; then
  echo "setup: making .venv"
  if ! "$python" -m venv .venv 2>/dev/null; then
    rm -rf .venv
    if command -v uv >/dev/null 2>&1; then
      uv venv --quiet --seed --python "$python" .venv
    else
      echo "setup: this python3 cannot make virtual environments (the package python3-venv is" >&2
      echo "missing), and uv is not installed either; one of the two is needed." >&2
      exit 2
    fi
  fi
fi

echo "setup: installing the locked packages (once; about a minute, some 1.2 GB on disk)"
unset PYTHONDONTWRITEBYTECODE
if ! .venv/bin/uv --version >/dev/null 2>&1; then
  # A synced environment holds no pip, as the lock names none.
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null 2>&1 || true
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements-uv.lock || true
fi
if .venv/bin/uv --version >/dev/null 2>&1 \
   && .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes \
     --compile-bytecode requirements.lock requirements-uv.lock; then
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-build-isolation --no-deps -e .
else
  echo "setup: uv did not succeed here; pip goes on (slower)"
  .venv/bin/python -m ensurepip --upgrade >/dev/null 2>&1 || true
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
    --no-deps -e .
fi
