"""``study new``, ``study export``, ``study questionnaire``: one's own data in, and out again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.study import StudyFolder


def add_own_data(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser."""
    new = commands.add_parser("new", help="make a study folder from an export")
    new.add_argument("name", metavar="NAME", help="of the study, and of its folder below data/")
    new.add_argument("--from", dest="source", required=True, metavar="EXPORT", help="the file")
    new.add_argument("--reader", metavar="R", help="in place of the one detected")
    new.add_argument("--title", default="", metavar="TEXT", help="(default: the name)")
    new.set_defaults(call=_new)
    shared = commands.add_parser("export", help="write a shareable copy without identities")
    shared.add_argument("study", metavar="STUDY", help="name below data/, or a study folder")
    form = shared.add_mutually_exclusive_group(required=True)
    form.add_argument("--sav", dest="form", action="store_const", const="sav", help="for SPSS, R")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="as text")
    shared.add_argument("--out", required=True, metavar="DIR", help="folder to write into")
    shared.add_argument("--language", default="en", metavar="en|zh", help="(default: en)")
    shared.add_argument("--k", type=int, metavar="N", help="respondents who must look alike")
    shared.set_defaults(call=_export)
    asked = commands.add_parser("questionnaire", help="write a study's questionnaire")
    asked.add_argument("study", metavar="STUDY", help="name below data/, or a study folder")
    asked.add_argument(
        "--format", default="html", metavar="F", help="docx, html, qualtrics, limesurvey or wjx"
    )
    asked.add_argument("--language", default="en", metavar="en|zh", help="(default: en)")
    asked.add_argument("--module", default="main", metavar="NAME", help="a further questionnaire")
    asked.add_argument("--out", metavar="FILE", help="where to (default: this folder)")
    asked.set_defaults(call=_questionnaire)


def _new(options: argparse.Namespace) -> int:
    """Make a study folder and list everything that was guessed."""
    from helpers import paths
    from helpers.survey.new import new_study
    from helpers.survey.new.guess import listed

    made = new_study(options.name, Path(options.source), reader=options.reader, title=options.title)
    print(made.detected.text())
    for finding in made.findings:
        if finding.severity == "mark":
            print(f"mark  {finding.place}: {finding.sentence}")
    for line in listed(made.guesses):
        print(line)
    print(
        f"{paths.shown(made.folder)}: {made.n_rows} rows, {made.n_items} items, "
        f"{len(made.guesses)} guesses, each marked REVIEW in study.yml or items.csv. Confirm or "
        f"correct them; `study check {made.name}` lists those that are left, and "
        f"`study run {made.name}` works with what there is."
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    """Write a shareable copy and say what was done; 1 if somebody could still be recognised."""
    from helpers.i18n import in_language
    from helpers.survey.load import open_folder
    from helpers.survey.share.files import export_study, verdict

    study = open_folder(read_named(options.study).folder)
    files, copy = export_study(
        study, form=options.form, out=Path(options.out), language=options.language, k=options.k
    )
    for path in files:
        print(path)
    with in_language(options.language):
        for item, what in copy.coarsened.done.items():
            print(f"  {item}: {what}")
        print(verdict(copy))
    return 0 if copy.coarsened.after.reached else 1


def _questionnaire(options: argparse.Namespace) -> int:
    """Write a questionnaire and say what is left to set by hand."""
    from helpers.i18n import _, in_language
    from helpers.report.questionnaire import write_questionnaire

    files, steps = write_questionnaire(
        read_named(options.study), form=options.format, language=options.language,
        module=options.module, out=Path(options.out) if options.out else None,
    )  # fmt: skip
    for path in files:
        print(path.name if options.out is None else path)
    with in_language(options.language):
        to_do = _("to do")
    for step in steps:
        print(f"  {to_do}  {step}")
    return 0


def read_named(name: str) -> StudyFolder:
    """Return a study folder by its name below data/, or by its path."""
    from helpers.study import read_folder, study_folder

    path = Path(name)
    return read_folder(path if (path / "study.yml").is_file() else study_folder(name))
