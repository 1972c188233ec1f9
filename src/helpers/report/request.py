"""What is asked for: study, notebooks, language, formats and parameters, checked as a whole."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from helpers import paths
from helpers.errors import ReportError, listing, nearest
from helpers.i18n import LANGUAGES
from helpers.report.parameters import refuse_reserved
from helpers.survey.selection import WHERE as WHERE_SIGN
from helpers.survey.selection import split_name

FORMATS = ("html", "pdf", "docx")
"""HTML is always made, because the index leads to it."""

DEFAULT_STUDY = "online_shopping"
NOTEBOOK_GLOB = "[0-9][0-9]_*.ipynb"

_SLUG = re.compile(r"[^A-Za-z0-9_.-]+|\.{2,}")
_LONGEST_NAME = 60


class Config(BaseModel):
    """The form of ``reports/configs/*.yml``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    study: str | None = None
    only: list[int | str] | None = None
    language: str | None = None
    formats: list[str] | None = None
    parameters: dict[str, Any] = {}
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One run, fully decided.

    Attributes
    ----------
    study : str
    selection : str
        Terms that respondents must meet, as in ``load_study``; empty for all.
    language : str
    formats : tuple of str
    only : tuple of str
        Two-digit numbers of notebooks; empty for all.
    parameters : mapping
        Name -> value, not yet checked against the notebooks.
    run : str
        Name of the run's folder.
    base : Path
        Folder in place of ``reports/``.
    workers : int
    fresh : bool
        Remove what earlier runs left in the folder first.
    plain_kernels : bool
        Start every kernel in the ordinary way.
    """

    study: str
    language: str = "en"
    formats: tuple[str, ...] = ("html",)
    only: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    run: str = "en"
    base: Path = Path("reports")
    workers: int = 1
    fresh: bool = False
    plain_kernels: bool = False
    selection: str = ""

    @property
    def opened(self) -> str:
        """The study as notebooks open it, with its selection."""
        return f"{self.study}{WHERE_SIGN}{self.selection}" if self.selection else self.study

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.base / self.study / self.run


WHERE = ("scheduler",)
"""Parameters that say where work is done and not what comes out; no part of a run's name."""


def make_request(
    study: str | None = None,
    *,
    config: str | None = None,
    only: Sequence[str] = (),
    language: str | None = None,
    formats: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    workers: int | None = None,
    out: str | None = None,
    fresh: bool = False,
    plain_kernels: bool = False,
) -> Request:
    """Join the command line with a configuration file; the command line wins.

    Raises
    ------
    ReportError
        A key, value, language or format that does not exist.
    """
    settings = dict(settings or {})
    stored = read_config(config) if config else Config()
    parameters = {**stored.parameters, **settings}
    refuse_reserved(parameters)
    chosen = language or stored.language or "en"
    if chosen not in LANGUAGES:
        raise ReportError(
            f"study run: language= is '{chosen}'; allowed are {listing(LANGUAGES)}. Choose one."
        )
    asked = tuple(dict.fromkeys(formats or stored.formats or ("html",)))
    for name in asked:
        if name not in FORMATS:
            raise ReportError(
                f"study run: format= is '{name}'; allowed are {listing(FORMATS)}."
                f"{nearest(name, FORMATS)} Choose from these."
            )
    count = workers if workers is not None else stored.workers
    if count is not None and count < 1:
        raise ReportError(f"study run: workers= is {count}; at least 1 is needed.")
    named, selection = split_name(study or stored.study or DEFAULT_STUDY)
    part = {"where": selection.text()} if selection else {}
    return Request(
        study=named,
        selection=selection.text() if selection else "",
        language=chosen,
        formats=asked,
        only=tuple(two_digits(n) for n in (only or stored.only or ())),
        parameters=parameters,
        run=_run_name(Path(config).stem if config else "", chosen, {**settings, **part}),
        base=Path(out).expanduser().resolve() if out else paths.reports_folder(),
        workers=count or min(os.cpu_count() or 1, 2),
        fresh=fresh,
        plain_kernels=plain_kernels,
    )


def make_requests(
    study: str | None = None,
    *,
    config: str | None = None,
    language: str | None = None,
    **options: Any,
) -> tuple[Request, ...]:
    """Return one request a language; ``language`` may name several, as in ``"en,zh"``.

    The other arguments are those of ``make_request``. The first language of a configuration takes
    its name as the run's; the others add theirs to it.
    """
    stored = read_config(config) if config else Config()
    words = (language or stored.language or "en").split(",")
    codes = dict.fromkeys(word.strip() for word in words if word.strip())
    made = [make_request(study, config=config, language=code, **options) for code in codes]
    if config:
        made[1:] = [replace(each, run=f"{each.run}_{each.language}") for each in made[1:]]
    return tuple(made)


def read_config(name: str) -> Config:
    """Read a configuration: a path, or the name of a file in ``reports/configs``."""
    path = Path(name)
    if not path.is_file():
        folder = paths.reports_folder() / "configs"
        path = folder / (path.name if path.suffix else f"{path.name}.yml")
        if not path.is_file():
            known = sorted(p.stem for p in folder.glob("*.yml"))
            raise ReportError(
                f"study run: config= '{name}' is neither a file nor a name in reports/configs; "
                f"known are {listing(known) or 'none'}.{nearest(name, known)}"
            )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        return Config.model_validate(values or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReportError(f"{path.name}: {error}; valid YAML in UTF-8 is needed.") from None
    except ValidationError as error:
        faults = [
            f"key {'.'.join(map(str, e['loc'])) or '(whole file)'}: {e['msg']}"
            for e in error.errors()
        ]
        allowed = listing(Config.model_fields)
        raise ReportError(
            f"{path.name}: {'; '.join(faults)}. Allowed keys are {allowed}."
        ) from None


def select_notebooks(only: Sequence[str], *, option: str = "study run: --only") -> list[Path]:
    """Return the notebooks to run, in order of their numbers.

    Parameters
    ----------
    only : sequence of str
        Two-digit numbers; empty for all.
    option : str
        Where the numbers were given, as messages name it; empty where they say so themselves.

    Raises
    ------
    ReportError
        There are none, or a number that none has.
    """
    found = sorted(paths.notebooks_folder().glob(NOTEBOOK_GLOB))
    if not found:
        raise ReportError(
            "notebooks/ holds no file like 10_name.ipynb; at least one is needed. Run this in the "
            "suite's folder, or set STUDY_ROOT to it."
        )
    numbers = [path.name[:2] for path in found]
    unknown = [number for number in only if number not in numbers]
    if unknown:
        raise ReportError(
            f"{option} {listing(unknown)}: no notebook has that number; there are ".lstrip()
            + f"{listing(numbers, most=60)}. Choose from these."
        )
    return [path for path in found if not only or path.name[:2] in only]


def two_digits(number: int | str) -> str:
    """Return a notebook's number as its file name begins."""
    text = str(number).strip()
    return text.zfill(2) if text.isdigit() else text


def _run_name(config: str, language: str, given: Mapping[str, Any]) -> str:
    """Return the folder name of a run: configuration or language, then what was set by hand."""
    settings = {name: value for name, value in given.items() if name not in WHERE}
    parts = [config or language]
    parts += [f"{name}-{value}" for name, value in sorted(settings.items())]
    name = "_".join(_SLUG.sub("-", part).strip("-.") or "run" for part in parts)
    changed = any(_SLUG.search(str(value)) for value in settings.values())
    if changed or len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(repr(sorted(settings.items())).encode("utf-8")).hexdigest()
        name = f"{name[:_LONGEST_NAME]}_{digest[:8]}"
    return name
