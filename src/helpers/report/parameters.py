"""Strict parameters: names, types and ranges are checked against the notebooks before one runs."""

from __future__ import annotations

import ast
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from nbformat import ValidationError
from nbformat.reader import NotJSONError

from helpers.errors import ReportError, listing, nearest
from helpers.report.execute import _escaped
from helpers.report.parameter_values import wrong_value
from helpers.report.syntax import literal, parsed

RESERVED = {"study": "name the study instead", "language": "use --language instead"}
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def declared(notebook: Path) -> dict[str, str]:
    """Return a notebook's parameters with their types, as papermill will see them.

    Raises
    ------
    ReportError
        The parameters cell has a line that papermill passes over, so that a value given for it
        would be lost without a word.
    """
    return dict(_declared(notebook, notebook.stat().st_mtime_ns))


def defaults(notebook: Path) -> dict[str, Any]:
    """Return the values that a notebook's parameters have if none is given."""
    return dict(_defaults(notebook, notebook.stat().st_mtime_ns))


@lru_cache(maxsize=1024)
def _inspected(notebook: Path, _changed: int) -> Mapping[str, Mapping[str, Any]]:
    """Return what papermill sees in one state of a notebook."""
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        return papermill.inspect_notebook(_escaped(notebook))
    except (ValueError, TypeError, AttributeError, NotJSONError, ValidationError) as error:
        raise ReportError(
            f"{notebook.name}: papermill cannot read the file ({str(error).splitlines()[0]}); a "
            "notebook of Jupyter that names its kernel is needed. Open it in JupyterLab, choose "
            "the Python kernel and save it."
        ) from None


@lru_cache(maxsize=1024)
def _defaults(notebook: Path, changed: int) -> dict[str, Any]:
    """Read the defaults of one state of a notebook."""
    found = {}
    for name, entry in _inspected(notebook, changed).items():
        try:
            found[name] = literal(entry["default"])
        except (ValueError, SyntaxError):
            found[name] = entry["default"]
    return found


@lru_cache(maxsize=1024)
def _declared(notebook: Path, changed: int) -> dict[str, str]:
    """Read the types of one state of a notebook."""
    seen = _inspected(notebook, changed)
    hidden = [name for name in _assigned(notebook) if name not in seen]
    if hidden:
        raise ReportError(
            f"{notebook.name}: parameters cell, {listing(hidden)}: papermill cannot read the "
            "line; one line `name: type = literal  # help` with a single = is needed. Rewrite it."
        )
    return {name: _type_name(entry) for name, entry in seen.items()}


def assign(
    values: Mapping[str, Any], allowed: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """Check values against all notebooks and return what each of them is given.

    Parameters
    ----------
    values : mapping
        Name -> value; text is read in the type that the notebook declares.
    allowed : mapping of mappings
        Notebook -> name -> type, from ``declared``.

    Returns
    -------
    dict of dicts
        Notebook -> name -> typed value, for the parameters which that notebook has.

    Raises
    ------
    ReportError
        A name that no notebook has, a value of another type, or one out of its range; all faults in
        one message.
    """
    known: dict[str, list[str]] = {}
    for notebook, kinds in allowed.items():
        for name, kind in kinds.items():
            known.setdefault(name, [kind]).append(notebook[:2])
    given: dict[str, dict[str, Any]] = {notebook: {} for notebook in allowed}
    faults = [_unknown(name, known) for name in values if name not in known]
    for notebook, kinds in allowed.items():
        for name in values.keys() & kinds.keys():
            try:
                value = given[notebook][name] = typed(values[name], kinds[name])
                faults += filter(None, [wrong_value(notebook, name, value)])
            except ValueError as error:
                faults.append(
                    f"parameter {name}= is {values[name]!r}; {notebook} needs {error}. Correct it."
                )
    if faults:
        faults = sorted(set(faults))
        raise ReportError("\n".join(faults))
    return given


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Turn ``["n_boot=200"]`` of the command line into a mapping."""
    values: dict[str, str] = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or not name.isidentifier():
            raise ReportError(f"--set {setting}: name=value is needed, as --set n_boot=2000.")
        if name in values:
            raise ReportError(f"--set {name}: given twice; give it once.")
        values[name] = value
    return values


def refuse_reserved(values: Mapping[str, Any]) -> None:
    """Raise if a parameter is set that has an option of its own."""
    for name, hint in RESERVED.items():
        if name in values:
            raise ReportError(f"parameter {name}: is not set this way; {hint}.")


def typed(value: Any, kind: str) -> Any:
    """Return a value in the declared type; text comes from the command line and is parsed.

    Raises
    ------
    ValueError
        With the sentence part that says what is needed.
    """
    readers = {"int": _integer, "float": _real, "bool": _boolean, "str": _text}
    if kind in readers:
        return readers[kind](value)
    found = yaml.safe_load(value) if isinstance(value, str) else value
    base = kind.partition("[")[0].lower()
    if base in ("list", "dict") and type(found).__name__ != base:
        raise ValueError(f"a {base}")
    return found


def _integer(value: Any) -> int:
    """Read a whole number."""
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise ValueError("a whole number (int)") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number (int)")
    return value


def _real(value: Any) -> float:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a number (float)")
    try:
        return float(value)
    except ValueError:
        raise ValueError("a number (float)") from None


def _boolean(value: Any) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    raise ValueError("true or false (bool)")


def _text(value: Any) -> str:
    """Read text."""
    if not isinstance(value, str):
        raise ValueError("text (str)")
    return value


def _type_name(entry: Mapping[str, Any]) -> str:
    """Return the declared type, or that of the default where none is declared."""
    if entry["inferred_type_name"] not in ("None", ""):
        return entry["inferred_type_name"]
    try:
        return type(literal(entry["default"])).__name__
    except (ValueError, SyntaxError):
        return "str"


def _assigned(notebook: Path) -> list[str]:
    """Return the names that the parameters cell assigns, read as Python."""
    cells = nbformat.read(notebook, as_version=4).cells
    source = next((c.source for c in cells if "parameters" in c.metadata.get("tags", [])), "")
    names = []
    for node in parsed(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def _unknown(name: str, known: Mapping[str, Sequence[str]]) -> str:
    """Return the sentence about a parameter that no notebook has."""
    settable = {n: k for n, k in sorted(known.items()) if n not in RESERVED}
    entries = [f"{n} ({kind}; in {' '.join(where)})" for n, (kind, *where) in settable.items()]
    allowed = listing(entries, most=40)
    return (
        f"parameter {name}: none of the selected notebooks has it; allowed are {allowed or 'none'}."
        f"{nearest(name, settable)} Correct the name, or select the notebook that has it."
    )
