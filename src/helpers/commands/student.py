"""``study student``: notebooks without solutions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def add_student(commands: argparse._SubParsersAction, words: Callable[[str], list[str]]) -> None:
    """Add the command to the parser; ``words`` splits a list of numbers."""
    student = commands.add_parser("student", help="write the notebooks without solutions")
    student.add_argument("study", nargs="?", help="folder below data/ (default: online_shopping)")
    student.add_argument("--language", default="en", metavar="en|zh", help="(default: en)")
    student.add_argument("--only", type=words, default=[], metavar="50,51", help="these notebooks")
    student.add_argument("--out", metavar="DIR", help="folder in place of reports/student/...")
    student.set_defaults(call=_student)


def _student(options: argparse.Namespace) -> int:
    """Write the copies."""
    from helpers import paths
    from helpers.report.request import DEFAULT_STUDY
    from helpers.report.student import write_student_copies

    written = write_student_copies(
        options.study or DEFAULT_STUDY, language=options.language, only=options.only,
        out=Path(options.out).expanduser().resolve() if options.out else None,
    )  # fmt: skip
    folder = written[0].parent
    shown = folder if options.out else paths.shown(folder)
    print(f"{len(written)} notebooks without solutions: {shown}")
    return 0
