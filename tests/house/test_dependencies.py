"""Contract: environment.yml, pyproject.toml and the lock name the same direct dependencies."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
# conda-forge's names for packages that the index calls otherwise
CONDA_NAMES = {"brotli-python": "brotli", "matplotlib-base": "matplotlib"}
LOCKS = ["requirements.lock", "requirements-uv.lock", "requirements-real.lock"]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def split(requirement: str) -> tuple[str, str]:
    name, limits = re.match(r"([A-Za-z0-9._-]+)\s*(.*)", requirement).groups()
    return canonical(CONDA_NAMES.get(name, name)), limits.replace(" ", "")


def in_pyproject() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return dict(split(r) for r in project["dependencies"])


def in_environment() -> dict[str, str]:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(e["pip"] for e in entries if isinstance(e, dict))
    plain = [e for e in entries if isinstance(e, str)] + [e for e in pip if e != "-e ."]
    return {k: v for k, v in map(split, plain) if k not in ("python", "pip")}


def in_lock(name: str) -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line)
        if match:
            pins.setdefault(canonical(match[1]), []).append(match[2])
    return pins


def test_environment_and_pyproject_agree():
    assert in_environment() == in_pyproject()


def test_python_range_agrees():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python{project['requires-python']}" in entries


def test_lock_pins_every_direct_dependency_within_its_limits():
    pins = in_lock("requirements.lock")
    for name, limits in in_pyproject().items():
        least = tuple(int(x) for x in re.search(r">=([\d.]+)", limits)[1].split("."))
        assert name in pins, f"{name} is not in the lock; run `make lock`"
        for pin in pins[name]:
            found = tuple(int(x) for x in re.findall(r"\d+", pin)[: len(least)])
            assert found >= least, f"{name}: lock has {pin}, pyproject wants {limits}"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_carries_hashes_and_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_environment_names_no_address():
    assert "://" not in (ROOT / "environment.yml").read_text()
