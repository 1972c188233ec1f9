"""Read a YAML file into a typed model: every fault at once, each with file, line and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from helpers import paths
from helpers.errors import CodebookError, listing, nearest

M = TypeVar("M", bound=BaseModel)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where it was built


def read_typed(path: Path, model: type[M], *, kind: str, advice: str) -> M:
    """Read a YAML file and check it against a model.

    Parameters
    ----------
    path : Path
    model : type
        A pydantic model that forbids unknown keys.
    kind : str
        What messages call such a file, as ``"a study file"``.
    advice : str
        Sentence that follows where a key or the whole content is missing.

    Raises
    ------
    CodebookError
        The file is missing, not UTF-8, not YAML, or not as the model asks; all faults are listed.
    """
    name = paths.shown(path)
    node, values = _parsed(path, name, advice)
    if not isinstance(values, dict):
        raise CodebookError(f"{name}: holds no keys; {kind} is a mapping. {advice}")
    faults = [
        f"{name}, line {line}, key {key}: given twice; the second would silently win. Keep one."
        for key, line in _doubled(node)
    ]
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        told = [_fault(name, node, e, model, kind, advice) for e in error.errors()]
        raise CodebookError(joined(name, faults + told)) from None
    if faults:
        raise CodebookError(joined(name, faults))
    return found


def joined(name: str, faults: list[str]) -> str:
    """Return one message for all faults."""
    if len(faults) == 1:
        return faults[0]
    return f"{name}: {len(faults)} faults.\n" + "\n".join(f"  - {fault}" for fault in faults)


def line_finder(path: Path) -> Callable[[tuple[str | int, ...]], int]:
    """Return a function that tells on which line of a readable file a key stands."""
    node = _LOADER(path.read_text(encoding="utf-8-sig")).get_single_node()
    return lambda place: _line(node, list(place))


def _parsed(path: Path, name: str, advice: str) -> tuple[yaml.Node | None, object]:
    """Return a file's nodes, which know their lines, and its values."""
    try:
        loader = _LOADER(path.read_text(encoding="utf-8-sig"))
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    except FileNotFoundError:
        raise CodebookError(f"{name}: not found. {advice}") from None
    except UnicodeDecodeError as error:
        raise CodebookError(
            f"{name}: byte {error.start} is not UTF-8; UTF-8 is needed. Save it as UTF-8."
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CodebookError(
            f"{name}, line {line}: {error.problem}; valid YAML is needed. Check the indentation "
            "and the quotes there."
        ) from None
    except yaml.YAMLError as error:
        raise CodebookError(f"{name}: {error}; valid YAML is needed.") from None


def _fault(
    name: str, node: yaml.Node | None, error: dict, model: type[BaseModel], kind: str, advice: str
) -> str:
    """Return one validation fault as a sentence with line and key."""
    location = [part for part in error["loc"] if not str(part).startswith("function-")]
    key = ".".join(str(part) for part in location) or "(whole file)"
    found = "" if isinstance(error.get("input"), dict | list) else f" (found: {error.get('input')})"
    if error["type"] == "extra_forbidden":
        allowed = _keys_beside(location, model)
        message = f"is not a key of {kind}; allowed here are {listing(allowed, most=40)}."
        message += nearest(str(location[-1]), allowed)
    elif error["type"] == "missing":
        message, found = f"is missing; it is needed. {advice}", ""
    elif error["type"] == "literal_error":
        message = f"is not allowed; allowed are {error['ctx']['expected']}"
    else:
        message = error["msg"].removeprefix("Value error, ")
    return f"{name}, line {_line(node, location)}, key {key}: {message}{found}"


def _keys_beside(location: list, model: type[BaseModel]) -> list[str]:
    """Return the keys that the file may hold beside the one at a location."""
    annotation: object = model
    for step in location[:-1]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = _without_none(annotation.model_fields[str(step)].annotation)
        else:  # a name or a position within a mapping or a list
            annotation = get_args(annotation)[-1]
    return list(annotation.model_fields)


def _without_none(annotation: object) -> object:
    """Return a type without the bounds around it and without the possibility of None."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    return annotation


def _line(node: yaml.Node | None, location: list) -> int:
    """Return the line of the deepest part of a location that the file holds."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                if key_node.value == str(part):
                    child, line = value_node, key_node.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and part in range(len(node.value)):
            child = node.value[part]
            line = child.start_mark.line + 1
        if child is None:
            break
        node = child
    return line


def _doubled(node: yaml.Node | None) -> list[tuple[str, int]]:
    """Return keys that stand twice in one mapping, with the line of the second."""
    found: list[tuple[str, int]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                found.append((key.value, key.start_mark.line + 1))
            seen.add(key.value)
            found += _doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found += _doubled(value)
    return found
