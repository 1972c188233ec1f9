"""What an executed notebook depends on, and in words what has changed since the last time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helpers.errors import listing
from helpers.report import manifest
from helpers.report.codehash import notebook_hash, room_hashes
from helpers.report.request import WHERE

_NOT_ASKED = (*WHERE, "language")
"""Where work is done changes nothing, and one execution speaks every language."""


NEVER = "not run before"
MOST_ROOMS = 3
"""Rooms that a reason names; of more it says how many."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an executed notebook depends on.

    Attributes
    ----------
    notebook : str
        Hash of its cells.
    parameters : mapping
        All in force, defaults included, but for the language and for those that only say where
        work is done.
    data : str
        Hash of the study's files.
    code : mapping
        Room -> hash of what the notebook reaches of it.
    versions : mapping
        Package -> version.
    kernels : str
        ``"forked"`` or ``"ordinary"``.
    """

    notebook: str
    parameters: Mapping[str, Any]
    data: str
    code: Mapping[str, str]
    versions: Mapping[str, str]
    kernels: str

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for the manifest."""
        return asdict(self)

    def key(self) -> str:
        """Return the name under which the executed notebook is kept."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def facts_of(notebook: Path, *, parameters: Mapping[str, Any], data: str, forked: bool) -> Facts:
    """Return what a notebook depends on, run with these parameters on data of this hash."""
    return Facts(
        notebook=notebook_hash(notebook),
        parameters={n: v for n, v in sorted(parameters.items()) if n not in _NOT_ASKED},
        data=data,
        code=room_hashes(notebook),
        versions=manifest.versions(),
        kernels="forked" if forked else "ordinary",
    )


def reasons(before: Mapping[str, Any], now: Facts) -> list[str]:
    """Return in words why a notebook has to run again; nothing if it has not.

    Parameters
    ----------
    before : mapping
        ``Facts.as_dict`` of the last time; empty if there was none.
    now : Facts
        What holds now.
    """
    if not before:
        return [NEVER]
    return list(_changes(before, now.as_dict()))


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference as a phrase."""
    if before.get("notebook") != now["notebook"]:
        yield "notebook changed"
    if before.get("data") != now["data"]:
        yield "data changed"
    for name, old, new in _pairs(before.get("parameters", {}), now["parameters"]):
        yield f"parameter {name} {_shown(old)} -> {_shown(new)}"
    rooms = [room for room, _old, _new in _pairs(before.get("code", {}), now["code"])]
    code = [room for room in rooms if not room.endswith(".locale")]
    if code:
        yield f"code of {listing(code, most=MOST_ROOMS)} changed"
    if len(code) < len(rooms):
        yield "translations changed"
    for name, old, new in _pairs(before.get("versions", {}), now["versions"]):
        yield f"{name} {_shown(old)} -> {_shown(new)}"
    if before.get("kernels") != now["kernels"]:
        yield f"kernels {before.get('kernels')} -> {now['kernels']}"


def _pairs(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, old and new value of what differs."""
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def _shown(value: Any) -> str:
    """Return a value in a phrase."""
    return "none" if value is None else "''" if value == "" else str(value)
