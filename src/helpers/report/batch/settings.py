"""The configuration of a batch: typed, checked as a whole, every fault with file, line and key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from helpers import paths
from helpers.errors import CodebookError, ReportError, SuiteError, listing, nearest
from helpers.report.batch.names import is_path, safe_name
from helpers.report.batch.numbers import is_number_name
from helpers.report.parameters import RESERVED, assign, declared
from helpers.report.request import FORMATS, select_notebooks, two_digits
from helpers.report.study_names import unknown_name
from helpers.study import StudyFolder, list_studies, read_folder, study_folder
from helpers.survey.selection import check_terms, parse_selection
from helpers.typed_yaml import joined, line_finder, read_typed

Value = bool | int | float | str | list | dict | None
ALL = "all"
"""In ``groups``: everybody, beside the levels."""
CROSSED = "*"


class Strict(BaseModel):
    """A part of the configuration: unknown keys are refused, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Period(Strict):
    """A span of days on which respondents started; both ends belong to it."""

    start: Annotated[date | None, Field(alias="from")] = None
    end: Annotated[date | None, Field(alias="to")] = None

    @model_validator(mode="after")
    def _forward(self) -> Period:
        if self.start is None and self.end is None:
            raise ValueError("a period needs from, to, or both")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"the period ends ({self.end}) before it starts ({self.start})")
        return self


class BatchSpec(Strict):
    """The form of a batch file.

    Every combination of ``matrix`` values, ``groups`` levels, ``periods`` and ``languages`` makes
    one report; ``exclude`` takes combinations out, ``include`` adds single ones.
    """

    name: str | None = None
    study: str
    notebooks: list[int | str] = []
    parameters: dict[str, Value] = {}
    matrix: dict[str, Annotated[list[Value], Field(min_length=1)]] = {}
    where: str | None = None
    groups: list[str] = []
    periods: list[Period] = []
    languages: Annotated[list[Literal["en", "zh"]], Field(min_length=1)] = ["en"]
    formats: Annotated[list[Literal[FORMATS]], Field(min_length=1)] = ["html"]  # type: ignore[valid-type]
    exclude: list[dict[str, Value]] = []
    include: list[dict[str, Value]] = []
    timeout_s: Annotated[float, Field(gt=0)] | None = None
    memory_mb: Annotated[int, Field(ge=64)] | None = None
    key_numbers: list[str] = []
    workers: Annotated[int, Field(ge=1)] | None = None
    out: str | None = None
    allow_outside: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that has been checked.

    Attributes
    ----------
    spec : BatchSpec
    study : StudyFolder
    name : str
        As given; the name of its folder is made from it.
    folder : Path
    """

    spec: BatchSpec
    study: StudyFolder
    name: str
    folder: Path


def read_batch(path: Path, *, out: str | None = None, allow_outside: bool = False) -> Batch:
    """Read and check a batch file; nothing has run and nothing is written.

    Parameters
    ----------
    path : Path
        The file, or the name of one in ``reports/configs``.
    out : str, optional
        Folder in place of ``reports/``, from the command line.
    allow_outside : bool
        Let the file name folders and files outside the project.

    Raises
    ------
    CodebookError
        Every fault of the file, each with line and key.
    """
    file = _found(path)
    advice = "See reports/configs/platforms.yml."
    spec = read_typed(file, BatchSpec, kind="a batch file", advice=advice)
    name = spec.name or file.stem
    outside = allow_outside or spec.allow_outside
    faults = [*_name_faults(name, spec), *_outside_faults(spec, outside), *_study_faults(spec)]
    if spec.study in list_studies():
        faults += _content_faults(spec)
    if faults:
        line, shown = line_finder(file), paths.shown(file)
        told = [
            f"{shown}, line {line(place)}, key {'.'.join(map(str, place))}: {text}"
            for place, text in faults
        ]
        raise CodebookError(joined(shown, told))
    base = Path(out).expanduser().resolve() if out else _base(spec)
    folder = base / safe_name(name)
    return Batch(spec, read_folder(study_folder(spec.study)), name, folder)


Fault = tuple[tuple[str | int, ...], str]


def _found(path: Path) -> Path:
    """Return a batch file: a path, or a name in ``reports/configs``."""
    if path.is_file():
        return path
    folder = paths.reports_folder() / "configs"
    stored = folder / (path.name if path.suffix else f"{path.name}.yml")
    if len(path.parts) == 1 and stored.is_file():
        return stored
    known = sorted(p.stem for p in folder.glob("*.yml"))
    raise CodebookError(
        f"study batch: config= '{path}' is neither a file nor a name in reports/configs; known are "
        f"{listing(known) or 'none'}.{nearest(str(path), known)}"
    )


def _base(spec: BatchSpec) -> Path:
    """Return the folder in which the batch's own folder lies."""
    if spec.out is None:
        return paths.reports_folder()
    return (paths.project_root() / Path(spec.out).expanduser()).resolve()


def _name_faults(name: str, spec: BatchSpec) -> list[Fault]:
    """Return what is wrong with the batch's name."""
    if is_path(name) or ".." in name:
        return [(("name",), f"'{name}' leads to another folder; a plain name is needed.")]
    if spec.out is None and safe_name(name) in (*list_studies(), "configs"):
        taken = f"reports/{name} is taken by the runs of the study of that name; choose another."
        return [(("name",), taken)]
    return []


def _outside_faults(spec: BatchSpec, allowed: bool) -> list[Fault]:
    """Return every text of the file that names a place outside the project."""
    if allowed:
        return []
    texts: list[tuple[tuple[str | int, ...], Any]] = [(("out",), spec.out)]
    texts += [(("parameters", n), v) for n, v in spec.parameters.items()]
    for n, values in spec.matrix.items():
        texts += [(("matrix", n, i), v) for i, v in enumerate(values)]
    for i, row in enumerate(spec.include):
        texts += [(("include", i, n), v) for n, v in row.items()]
    told = (
        "leads out of the project, which a batch file may not do by itself. Name a place inside "
        "the project, or allow it with allow_outside: true or --allow-outside."
    )
    return [(place, f"'{v}' {told}") for place, v in texts if isinstance(v, str) and _leads_out(v)]


def _leads_out(text: str) -> bool:
    """Tell whether a text is a path that can end outside the project."""
    if "://" in text:
        return False
    both = (PurePosixPath(text), PureWindowsPath(text))
    if any(p.is_absolute() or p.drive or ".." in p.parts for p in both) or text[:1] in "~":
        return text != ""
    inside = paths.project_root()
    return "/" in text and not (inside / text).resolve().is_relative_to(inside)


def _study_faults(spec: BatchSpec) -> list[Fault]:
    """Return that the study does not exist."""
    known = list_studies()
    if spec.study in known:
        return []
    return [(("study",), f"'{spec.study}' is not a study below data/; known are {listing(known)}."
             f"{nearest(spec.study, known)}")]  # fmt: skip


def _content_faults(spec: BatchSpec) -> list[Fault]:
    """Return what does not fit the study and the notebooks."""
    study = read_folder(study_folder(spec.study))
    faults = [*_parameter_faults(spec, study), *_group_faults(spec, study), *_exclude_faults(spec)]
    faults += _include_faults(spec, study)
    if spec.where is not None:
        faults += _selection_faults(("where",), spec.where, study)
    faults += [
        (("key_numbers", i), f"'{name}' is not a key number; write 30.alpha_REC or 50.paths.1.")
        for i, name in enumerate(spec.key_numbers)
        if not is_number_name(name)
    ]
    selects = [key for key in ("where", "groups", "periods") if getattr(spec, key)]
    if selects and study.spec.data is None:
        told = f"'{spec.study}' is a published matrix without respondents to select from."
        faults += [((key,), told) for key in selects]
    return faults


def _selection_faults(place: tuple[str | int, ...], where: str, study: StudyFolder) -> list[Fault]:
    """Return what is wrong with a selection of respondents."""
    try:
        return [(place, text) for text in check_terms(study, parse_selection(where))]
    except SuiteError as error:
        return [(place, str(error))]


def _allowed(spec: BatchSpec) -> dict[str, dict[str, str]]:
    """Return the parameters of the notebooks that the file selects."""
    sources = select_notebooks([two_digits(n) for n in spec.notebooks], option="")
    return {source.name: declared(source) for source in sources}


def _parameter_faults(spec: BatchSpec, study: StudyFolder) -> list[Fault]:
    """Return unknown parameters, wrong values and unknown notebooks."""
    try:
        allowed = _allowed(spec)
    except ReportError as error:
        return [(("notebooks",), str(error))]
    given = [(("parameters", n), n, v) for n, v in spec.parameters.items()]
    for n, values in spec.matrix.items():
        given += [(("matrix", n, i), n, v) for i, v in enumerate(values)]
    faults = [
        (place, fault)
        for place, name, value in given
        for fault in _value_faults(name, value, allowed, study)
    ]
    twice = sorted(spec.parameters.keys() & spec.matrix.keys())
    return faults + [(("matrix", n), "stands in parameters too; keep one.") for n in twice]


def _value_faults(
    name: str, value: Value, allowed: dict[str, dict[str, str]], study: StudyFolder
) -> list[str]:
    """Return what is wrong with one value of a parameter."""
    if name in RESERVED:
        return [f"is not set this way; use the key {name if name == 'study' else 'languages'}."]
    try:
        assign({name: value}, allowed)
    except ReportError as error:
        return [str(error)]
    return [text for text in [unknown_name(name, value, study)] if text]


def _group_faults(spec: BatchSpec, study: StudyFolder) -> list[Fault]:
    """Return groupings that the study does not have, and those given twice."""
    known, faults = [*study.spec.groups, ALL], []
    for i, entry in enumerate(spec.groups):
        names = [part.strip() for part in entry.split(CROSSED)]
        wrong = [n for n in names if n not in study.spec.groups and entry != ALL]
        if wrong:
            text = f"'{wrong[0]}' is not a grouping of '{spec.study}'; allowed are "
            faults.append((("groups", i), f"{text}{listing(known)}.{nearest(wrong[0], known)}"))
        if entry in spec.groups[:i] or len(set(names)) < len(names):
            faults.append((("groups", i), f"'{entry}' is given twice; keep one."))
    return faults


def _exclude_faults(spec: BatchSpec) -> list[Fault]:
    """Return rows of ``exclude`` that name what does not vary."""
    groups = {part.strip() for entry in spec.groups for part in entry.split(CROSSED)} - {ALL}
    axes = {*spec.matrix, *groups, "language", "period"}
    return [
        (("exclude", i, n), f"is not varied here; allowed are {listing(sorted(axes))}.")
        for i, row in enumerate(spec.exclude)
        for n in row
        if n not in axes
    ]


def _include_faults(spec: BatchSpec, study: StudyFolder) -> list[Fault]:
    """Return rows of ``include`` that are empty or name what the study and notebooks lack."""
    try:
        allowed = _allowed(spec)
    except ReportError:
        return []  # told under notebooks
    faults: list[Fault] = []
    for i, row in enumerate(spec.include):
        if not row:
            faults.append((("include", i), "is empty; name a parameter or where."))
        for name, value in row.items():
            place = ("include", i, name)
            if name != "where":
                faults += [(place, text) for text in _value_faults(name, value, allowed, study)]
            elif study.spec.data is None:
                told = f"'{spec.study}' is a published matrix without respondents to select from."
                faults.append((place, told))
            else:
                faults += _selection_faults(place, str(value), study)
    return faults
