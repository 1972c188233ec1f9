"""``study check``: everything that is wrong with a study, or with an export."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.survey.findings import Finding


def add_check(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    check = commands.add_parser("check", help="check a study, by name or folder, or an export")
    check.add_argument("study", metavar="STUDY|EXPORT")
    check.add_argument(
        "--all", action="store_true", help="one line an item, in place of one a kind of fault"
    )
    check.add_argument("--language", default="en", metavar="en|zh", help="(default: en)")
    check.set_defaults(call=_check)


def _check(options: argparse.Namespace) -> int:
    """Check a study folder, or an export that belongs to none yet."""
    from helpers.i18n import in_language
    from helpers.study import study_folder
    from helpers.survey.codebook import check_study, looks_like_export

    with in_language(options.language):
        if looks_like_export(options.study):
            return _check_export(Path(options.study), every=options.all)
        if not Path(options.study).is_dir():
            study_folder(options.study)  # an unknown name is wrong use, not a faulty study
        return _tell(options.study, check_study(options.study), every=options.all)


def _check_export(path: Path, *, every: bool) -> int:
    """Say what an export is and what is wrong with it."""
    from helpers.survey.readers.check import check_export
    from helpers.survey.readers.opening import regular_file

    if not path.exists() and not path.is_symlink():
        regular_file(path, str(path))  # a wrong path is wrong use, not a faulty export
    detected, findings = check_export(path)
    if detected is not None:
        print(detected.text())
    return _tell(path.name, findings, every=every)


def _tell(name: str, findings: Sequence[Finding], *, every: bool) -> int:
    """Print findings and how many there are; return the exit code."""
    from helpers.i18n import _
    from helpers.survey.findings import by_severity, joined

    words = {"error": _("error"), "mark": _("mark"), "note": _("note")}
    shown = by_severity(findings) if every else joined(findings)
    for finding in shown:
        line = _("{severity}  {place}: {sentence}")
        print(line.format(severity=words[finding.severity], place=finding.place,
                          sentence=finding.sentence))  # fmt: skip
    errors = sum(finding.severity == "error" for finding in findings)
    print(
        _("{name}: errors {errors}, remarks {remarks}.").format(
            name=name, errors=errors, remarks=len(findings) - errors
        )
    )
    if len(shown) < len(findings):
        print(_("What is said of several items at once is told one by one with --all."))
    return 1 if errors else 0
