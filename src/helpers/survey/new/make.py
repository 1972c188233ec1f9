"""``study new``: write a study folder from an export, whole or not at all."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from helpers import paths
from helpers.errors import DataContractError, ReportError, SuiteError, listing, nearest
from helpers.specification import READERS
from helpers.survey.findings import Finding
from helpers.survey.load import open_folder
from helpers.survey.new.guess import Guess
from helpers.survey.new.proposal import propose
from helpers.survey.new.write import data_sheet, items_csv, study_yml
from helpers.survey.readers.detect import Detected, detect, read_export
from helpers.survey.readers.export import Export
from helpers.survey.readers.long_form import long_found
from helpers.survey.readers.odd_rows import total_found, without_total

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,63}$")
_KEY = re.compile(
    r"^(id|rowname|row_id|(respondent|case|participant|subject|person|response)_?(id|no|nr)?|pid|uid)$",
    re.IGNORECASE,
)
_WITHOUT_ID = ("csv", "spss", "stata")
"""Readers of files that do not say which column is the key."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A study folder just written.

    Attributes
    ----------
    name : str
        Of the study and of its folder.
    folder : Path
        Where it lies.
    detected : Detected
        What the export was found to be.
    guesses : tuple of Guess
        Everything guessed, to be confirmed.
    n_rows, n_items : int
        Rows received; items proposed.
    dropped : dict
        Columns that were not read -> why.
    findings : tuple of Finding
        What is odd about the file, hidden rows for instance.
    """

    name: str
    folder: Path
    detected: Detected
    guesses: tuple[Guess, ...]
    n_rows: int
    n_items: int
    dropped: dict[str, str]
    findings: tuple[Finding, ...] = ()


def new_study(
    name: str,
    source: Path,
    *,
    reader: str | None = None,
    title: str = "",
    folder: Path | None = None,
) -> NewStudy:
    """Write ``data/<name>/`` from an export: study.yml, items.csv, README.md, raw/<file>.

    What the file itself says is written down; what is guessed is written down too, marked REVIEW
    where it stands, and returned. No item is turned, and no answer is excluded on a guess other
    than consent and a screening question.

    Parameters
    ----------
    name : str
        Letters, digits and ``_``, a letter first.
    source : Path
        The export, as the platform delivered it; it is copied.
    reader : str, optional
        One of ``specification.READERS``, where detection is wrong.
    title : str
        Of the study; the name if not given.
    folder : Path, optional
        Where studies lie; ``data/`` of the project.

    Raises
    ------
    ReportError
        Bad name, the folder exists, or it cannot be written.
    DataContractError
        The export cannot be read, or the proposed study does not hold it; nothing is left behind.
    """
    target = _target(name, folder)
    if reader is not None and reader not in READERS:
        raise ReportError(
            f"new_study: reader= '{reader}' is not known; allowed are {listing(READERS)}."
            f"{nearest(reader, READERS)}"
        )
    detected = detect(source)
    if reader is not None:
        detected = replace(detected, reader=reader)
    export = read_export(source, detected)
    open_key = detected.reader in _WITHOUT_ID and _only_numbered(export)
    key = _key_column(export) if open_key else None
    if key is not None:
        detected = replace(detected, columns={**detected.columns, "respondent_id": key})
        export = read_export(source, detected)
    total = total_found(export, source.name)
    long = long_found(export, source.name) if open_key and key is None else []
    proposal = propose(without_total(export) if total else export, place=source.name)
    if key is not None:
        because = "its name says so, and no value stands twice"
        proposal.add(Guess("data.columns", f"respondent_id: {key}", because, True, ("an item",)))
    file = f"raw/{_UNSAFE.sub('_', source.name).lstrip('.') or 'export'}"
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    title = title.strip() or name
    texts = {
        "study.yml": study_yml(
            proposal, detected, name=name, title=title, file=file, sha256=sha256
        ),
        "items.csv": items_csv(proposal),
        "README.md": data_sheet(
            proposal, detected, title=title, file=file, n_rows=len(export.meta),
            dropped=dict(export.dropped), sha256=sha256,
        ),
    }  # fmt: skip
    _write_whole(target, texts, file, source)
    return NewStudy(
        name, target, detected, tuple(proposal.guesses), len(export.meta), len(proposal.items),
        dict(export.dropped), (*export.findings, *total, *long),
    )  # fmt: skip


def _only_numbered(export: Export) -> bool:
    """Tell whether respondents bear no ids but the numbers of their rows."""
    ids = export.meta["respondent_id"]
    return ids.tolist() == [str(row) for row in range(1, len(ids) + 1)]


def _key_column(export: Export) -> str | None:
    """Return the column that numbers the respondents, where the program does not name one."""
    for name in filter(_KEY.match, export.answers):
        cells = export.answers[name].astype("str").str.strip()
        if cells.ne("").all() and not cells.duplicated().any():
            return name
    return None


def _target(name: str, folder: Path | None) -> Path:
    """Return where the study will lie, after checking that it may."""
    if not _NAME.match(name):
        raise ReportError(
            f"new_study: name= '{name}' cannot name a study; letters, digits and _ are needed, a "
            "letter first, at most 64. Choose such a name."
        )
    parent = paths.data_folder() if folder is None else folder
    target = parent / name
    same = [p.name for p in parent.glob("*") if p.name.lower() == name.lower()]
    if same:
        raise ReportError(
            f"new_study: name= '{name}' is taken by {paths.shown(parent / same[0])}; nothing was "
            "written. Choose another name, or remove that folder first."
        )
    return target


def _write_whole(target: Path, texts: dict[str, str], file: str, source: Path) -> None:
    """Write the folder beside its place, open it as a study, and only then move it there."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    except OSError as error:
        raise ReportError(
            f"new_study: the folder of the studies cannot be written ({error.strerror}); a "
            "writable one is needed."
        ) from None
    try:
        (part / "raw").mkdir()
        shutil.copyfile(source, part / file)
        for name, text in texts.items():
            (part / name).write_text(text, encoding="utf-8")
        _open(part)
        part.chmod(0o755)
        part.rename(target)
    except OSError as error:
        raise ReportError(
            f"new_study: the study cannot be written ({error.strerror}); nothing was left behind."
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _open(folder: Path) -> None:
    """Open the folder as a study; what is wrong is wrong with the proposal."""
    try:
        study = open_folder(folder)
        study.responses.head()
    except SuiteError as error:
        message = str(error).replace(f"{folder.name}/", "")
        raise DataContractError(
            f"new_study: the export does not fit what was proposed from it; nothing was written. "
            f"Make the folder by hand (data/README.md), or correct the export.\n{message}"
        ) from None
