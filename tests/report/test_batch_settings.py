"""Contract: a batch file is read as a whole; every fault has its line, key and way out."""

import pytest

from helpers.errors import CodebookError
from helpers.report.batch.expand import expand
from helpers.report.batch.names import safe_name
from helpers.report.batch.settings import read_batch


def write(project, text, name="b.yml"):
    path = project.root / name
    path.write_text(text, encoding="utf-8")
    return path


def names(project, text, **options):
    return [r.name for r in expand(read_batch(write(project, text), **options))]


def faults(project, text, **options):
    with pytest.raises(CodebookError) as error:
        expand(read_batch(write(project, text), **options))
    return str(error.value)


def test_every_combination_makes_a_report(grouped):
    text = """\
study: toy
matrix: {n_boot: [10, 20]}
groups: [all, half]
languages: [en, zh]
exclude: [{n_boot: 20, half: 2}, {n_boot: 10, language: zh}]
include: [{n_boot: 30}]
"""
    found = names(grouped, text)
    assert found == [
        "n_boot=10_language=en", "n_boot=10_half=1_language=en", "n_boot=10_half=2_language=en",
        "n_boot=20_language=en", "n_boot=20_language=zh",
        "n_boot=20_half=1_language=en", "n_boot=20_half=1_language=zh",
        "n_boot=30_language=en", "n_boot=30_language=zh",
    ]  # fmt: skip


def test_groups_cross_and_periods_select_days(grouped):
    text = """\
study: toy
where: SAT1 >= 3
groups: [half * side]
periods: [{from: 2026-01-01, to: 2026-01-31}, {from: 2026-02-01}]
"""
    reports = expand(read_batch(write(grouped, text)))
    assert len(reports) == 8
    assert reports[0].request.opened == (
        "toy where SAT1 >= 3 and half = 1 and side = 1 and "
        "started_at >= 2026-01-01 and started_at <= 2026-01-31"
    )
    assert reports[1].request.selection.endswith("side = 1 and started_at >= 2026-02-01")
    assert len({r.name for r in reports}) == 8


def test_all_faults_at_once_each_with_line_and_key(grouped):
    text = """\
study: toy
notebooks: [10]
parameters:
  n_boots: 5
  share: much
matrix:
  n_boot: [10, x]
groups: [halves]
key_numbers: [paths]
exclude:
  - {deep: true}
"""
    told = faults(grouped, text)
    assert told.startswith("b.yml: 6 faults.")
    for part in (
        "line 4, key parameters.n_boots:", "Did you mean 'n_boot'?",
        "line 5, key parameters.share:", "a number (float)",
        "line 7, key matrix.n_boot.1:", "a whole number (int)",
        "line 8, key groups.0:", "Did you mean 'half'?",
        "line 9, key key_numbers.0:", "line 11, key exclude.0.deep:",
    ):  # fmt: skip
        assert part in told


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("study: toy\nworker: 2", "line 2, key worker: is not a key of a batch file"),
        ("study: toy\nworkers: many", "line 2, key workers"),
        ("study: toy\nstudy: toy", "given twice"),
        ("study: [", "valid YAML is needed"),
        ("", "holds no keys"),
        ("name: x", "line 1, key study: is missing"),
        ("study: toys", "Did you mean 'toy'?"),
        ("study: ../toy", "is not a study below data/"),
        ("study: toy\nname: ../other", "line 2, key name: '../other' leads to another folder"),
        ("study: toy\nname: a/b", "leads to another folder"),
        ("study: toy\nname: '..'", "leads to another folder"),
        ("study: toy\nname: toy", "is taken by the runs of the study"),
        ("study: toy\nout: ../elsewhere", "line 2, key out: '../elsewhere' leads out"),
        ("study: toy\nout: /var/elsewhere", "leads out of the project"),
        ("study: toy\nout: 'C:\\elsewhere'", "leads out of the project"),
        ("study: toy\nout: ~/elsewhere", "leads out of the project"),
        ("study: toy\nnotebooks: [77]", "line 2, key notebooks: 77: no notebook has that number"),
        ("study: toy\nlanguages: [fr]", "key languages.0"),
        ("study: toy\nformats: [doc]", "key formats.0"),
        ("study: toy\ntimeout_s: -1", "key timeout_s"),
        ("study: toy\nparameters: {language: zh}", "is not set this way"),
        ("study: toy\nperiods: [{from: 2026-02-01, to: 2026-01-01}]", "before it starts"),
        ("study: toy\nperiods: [{from: soon}]", "key periods.0.from"),
        ("study: toy\ngroups: [half, half]", "given twice"),
        ("study: toy\nmatrix: {n_boot: [5, 5]}", "two reports would be named 'n_boot=5'"),
        ("study: toy\nwhere: half = 3", "has codes 1 (first), 2 (second)"),
        ("study: toy\nparameters: {n_boot: 1}\nmatrix: {n_boot: [2]}", "keep one"),
        ("study: toy\ngroups: [half]\nexclude: [{half: 1}, {half: 2}]", "leaves no report"),
        ("study: toy\ngroups: [half]\nexclude: [{half: 9}]", "{half: 9} takes no report out"),
        ("study: toy\nexclude: [{}]", "takes no report out"),
        ("study: toy\ninclude: [{}]", "line 2, key include.0: is empty"),
        ("study: toy\ninclude: [{where: half = 3}]", "has codes 1 (first), 2 (second)"),
        ("study: toy\ninclude: [{where: half}]", "key include.0.where: selection: 'half'"),
        ("study: toy\ninclude: [{n_boot: x}]", "key include.0.n_boot: parameter n_boot= is 'x'"),
        ("study: toy\ninclude: [{n_boots: 1}]", "Did you mean 'n_boot'?"),
        ("study: toy\ninclude: [{language: zh}]", "key include.0.language: is not set this way"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(grouped, text, part):
    told = faults(grouped, text)
    assert part in told
    assert str(grouped.root) not in told


def test_a_link_inside_the_project_does_not_lead_out(grouped, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (grouped.root / "inside").symlink_to(outside)
    assert "leads out" in faults(grouped, "study: toy\nout: inside/here")


def test_places_outside_need_to_be_allowed(grouped, tmp_path):
    text = f"study: toy\nout: {tmp_path / 'else'}\n"
    assert "leads out" in faults(grouped, text)
    allowed = read_batch(write(grouped, text + "allow_outside: true"))
    assert allowed.folder == (tmp_path / "else" / "b").resolve()
    assert read_batch(write(grouped, text), allow_outside=True).folder == allowed.folder
    assert read_batch(write(grouped, "study: toy\nout: kept/here")).folder.parts[-3:] == (
        "kept", "here", "b",
    )  # fmt: skip


@pytest.mark.parametrize(
    "value", ["平台", "{study}", "a b", "é", "x" * 300, "a|b", "con", "100%", "-", "a..b", "#1"]
)
def test_names_of_folders_are_safe_and_stay_different(value):
    made = safe_name(value)
    assert made.isascii() and 0 < len(made) < 100
    assert not set(made) & set('{}/\\:*?"<>| #%')
    assert made == safe_name(value) and made != safe_name(value + "2")
    assert safe_name("platform=2") == "platform=2"


def test_values_with_braces_and_chinese_make_reports(grouped):
    grouped.notebook("10_first", "1", parameters='study: str = "toy"\nword: str = ""')
    text = "name: 批次{a}\nstudy: toy\nnotebooks: [10]\nmatrix: {word: ['{study}', 平台, 平臺]}"
    batch = read_batch(write(grouped, text))
    assert batch.name == "批次{a}" and batch.folder.name.isascii()
    assert len({r.name for r in expand(batch)}) == 3
