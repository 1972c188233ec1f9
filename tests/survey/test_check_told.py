"""Contract: what a check finds is told once a kind of fault, and in the reader's language."""

from __future__ import annotations

import re

import pytest

from helpers.i18n import in_language
from helpers.survey.codebook import check_study
from helpers.survey.findings import Finding, by_severity, in_file, joined, said

from .conftest import ROWS, qualtrics_text, respondent


def outside(item: str, n: int, allowed: str = "1 to 7") -> Finding:
    sentence = said("{n} outside; allowed are {allowed}.", n=n, allowed=allowed).together(
        "{n} to {k} items outside; allowed are {allowed}. {each}.",
        each=said("{item}: {n}", item=item, n=n),
    )
    return Finding("mark", in_file("a.csv", item), sentence)


def test_findings_of_one_kind_are_told_once_with_their_sum_and_the_most_frequent_first():
    (told,) = joined([outside("A", 1), outside("B", 3), outside("C", 2)])
    assert told.place == "a.csv"
    assert told.sentence == "6 to 3 items outside; allowed are 1 to 7. B: 3; C: 2; A: 1."


def test_another_scale_another_severity_and_another_file_are_told_apart():
    other_file = Finding("mark", in_file("b.csv", "A"), outside("A", 1).said)
    worse = Finding("error", in_file("a.csv", "A"), outside("A", 1).said)
    apart = [outside("A", 1), outside("B", 1, "0 to 10"), other_file, worse]
    assert joined(apart) == by_severity(apart)
    assert joined(apart)[0].severity == "error"


def test_those_beyond_the_ones_named_are_counted():
    (told,) = joined([outside(f"I{i}", 1) for i in range(20)], most=8)
    assert told.sentence.endswith("I7: 1 and 12 more.")
    assert "20 to 20 items" in told.sentence


def test_a_finding_without_its_like_keeps_its_own_words():
    alone = outside("A", 2)
    note = Finding("note", "a.csv", "read by hand")
    assert joined([note, alone]) == [alone, note]


@pytest.fixture
def strays(make_study):
    """Two items with answers outside the scale; one of them in rows 3 and 6."""
    rows = [*ROWS[:2], respondent(3, "1", "8", "8", "2", "6", "1", "30"), *ROWS[3:],
            respondent(6, "1", "55", "6", "2", "6", "1", "30")]  # fmt: skip
    return make_study(content=qualtrics_text(rows))


def test_rows_of_strays_are_named_by_hand_count(strays):
    marks = [f for f in joined(check_study(strays)) if "outside" in f.sentence]
    assert len(marks) == 1
    assert "3 answers to 2 items lie outside the scale; allowed are 1 to 7" in marks[0].sentence
    assert re.search(r"SAT\d: 2 \(55, 8; row 3, 6\); SAT\d: 1 \(8; row 3\)\.", marks[0].sentence)


def test_the_same_findings_are_told_in_chinese(strays):
    found = check_study(strays)
    with in_language("zh"):
        told = [f"{f.place}：{f.sentence}" for f in (*found, *joined(found))]
    assert all(re.search("[一-鿿]", line) for line in told)
    english = re.compile(r"\b(?:the|are|answers|items(?!\.csv)|rows|outside)\b")
    assert not [line for line in told if english.search(line)]
    assert [f.sentence for f in found][0].isascii()


def test_command_tells_one_kind_once_and_each_with_all(strays, capsys):
    from helpers.cli import main

    assert main(["check", str(strays)]) == 0
    short = capsys.readouterr().out.splitlines()
    assert main(["check", str(strays), "--all"]) == 0
    every = capsys.readouterr().out.splitlines()
    assert sum("outside the scale" in line for line in short) == 1
    assert sum("outside the scale" in line for line in every) == 2
    assert "--all" in short[-1] and "--all" not in every[-1]
    assert main(["check", str(strays), "--language", "zh"]) == 0
    assert "超出量表范围" in capsys.readouterr().out
