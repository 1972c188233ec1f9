"""Contract: bad input stops with a sentence that says what, what is allowed, what to do next."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from helpers.errors import CodebookError, DataContractError
from helpers.survey.codebook import check_study
from helpers.survey.findings import findings_table
from helpers.survey.load import open_folder

from .conftest import ANSWERS, ITEMS, META, ROWS, qualtrics_text, respondent


def errors(folder) -> list[str]:
    """Return the sentences of all errors that ``check_study`` lists."""
    return [f.sentence for f in check_study(folder) if f.severity == "error"]


def stops(folder, match: str) -> None:
    """Assert that loading stops and that the check lists the same fault as an error."""
    with pytest.raises((DataContractError, CodebookError), match=match):
        open_folder(folder)
    assert errors(folder)


def test_item_without_column(make_study):
    items = [*ITEMS, {"item": "SAT4", "scale": "agree7", "construct": "SAT"}]
    stops(make_study(items=items), "item 'SAT4' stands in items.csv but not in the file")


def test_column_without_item(make_study):
    stops(make_study(items=ITEMS[:-1]), "column 'AGE' stands in the file but not in items.csv")


def test_renamed_column_is_suggested(make_study):
    text = qualtrics_text(ROWS).replace("SAT2", "SAT_2")
    stops(make_study(content=text), "Did you mean 'SAT_2'")


def test_answer_outside_the_scale_is_set_missing_and_counted(make_study):
    rows = [*ROWS[:2], respondent(3, "1", "8", "6", "2", "6", "1", "30"), *ROWS[3:]]
    folder = make_study(content=qualtrics_text(rows))
    study = open_folder(folder)
    assert study.responses["SAT1"].isna().tolist() == [False, False, True]
    assert study.reasons["reason"].tolist().count("outside the scale") == 1
    marks = [f for f in check_study(folder) if f.severity == "mark"]
    assert "answers outside the scale: 1 (8); allowed are 1 to 7" in marks[0].sentence
    assert not errors(folder)


def test_unknown_missing_code(make_study):
    rows = [*ROWS, respondent(6, "1", "-99", "6", "2", "6", "1", "30")]
    stops(
        make_study(content=qualtrics_text(rows)), "hold the code -99.*Write it into missing_codes"
    )


def test_missing_code_of_one_item_is_an_answer_of_another(make_study):
    rows = [respondent(1, "1", "5", "6", "2", "6", "1", "98")]
    study = open_folder(make_study(content=qualtrics_text(rows)))
    assert study.responses["AGE"].tolist() == [98.0]


def test_label_that_no_scale_has(make_study):
    rows = [*ROWS, respondent(6, "1", "Very much", "6", "2", "6", "1", "30")]
    stops(make_study(content=qualtrics_text(rows)), "no label of the scale: 'Very much'")


def test_wrong_sum(make_study):
    stops(make_study(sha256="0" * 64), "has sha256 .*; study.yml declares 0000")


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_empty_file(make_study, content):
    stops(make_study(content=content), "is empty|holds no text")


def test_header_without_respondents(make_study):
    stops(make_study(content=qualtrics_text([])), "a header but no respondent")


def test_doubled_ids(make_study):
    rows = [*ROWS, ROWS[0], ROWS[1]]
    stops(
        make_study(content=qualtrics_text(rows)), "2 respondent ids stand more than once: R_1, R_2"
    )


def test_two_exports_joined_with_their_headers(make_study):
    stops(make_study(content=qualtrics_text(ROWS) + qualtrics_text(ROWS)), "faults")


def test_row_without_id(make_study):
    rows = [*ROWS, respondent(6, "1", "5", "6", "2", "6", "1", "30", ResponseId="")]
    stops(make_study(content=qualtrics_text(rows)), "1 rows have no respondent id")


def test_file_cut_off(make_study):
    text = qualtrics_text(ROWS)
    stops(make_study(content=text[: text.rindex("1,19")]), "seems to be cut off")


def test_stray_comma(make_study):
    rows = [*ROWS, [*ROWS[0], "one too many"]]
    stops(make_study(content=qualtrics_text(rows)), "cannot be split into cells")


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_named(make_study, toy_spec, sign, name):
    toy_spec["data"] = {"reader": "csv", "file": "raw/main.csv"}
    content = sign.join(ANSWERS) + "\n" + sign.join("1" * len(ANSWERS)) + "\n"
    stops(make_study(spec=toy_spec, content=content), f"apart by {name}; commas are needed")


def test_doubled_column_names(make_study):
    header = META + [*ANSWERS[:-1], "SAT1"]
    stops(make_study(content=qualtrics_text(ROWS, header)), "columns of the same name: SAT1")


def test_nul_bytes(make_study):
    stops(make_study(content=qualtrics_text(ROWS) + "\x00"), "holds NUL bytes")


def test_damaged_pack(make_study, toy_spec):
    toy_spec["data"]["file"] = "raw/main.csv.gz"
    stops(make_study(spec=toy_spec, content=b"\x1f\x8b\x08broken"), "cannot be unpacked")


def test_absent_file(make_study):
    folder = make_study()
    (folder / "raw" / "main.csv").unlink()
    stops(folder, "raw/main.csv does not exist|main.csv does not exist")


def test_unknown_encoding(make_study, toy_spec):
    toy_spec["data"]["encoding"] = "utf-9"
    stops(make_study(spec=toy_spec), "'utf-9' of .* is not a known encoding")


def test_broken_yaml_names_the_line(make_study):
    folder = make_study()
    (folder / "study.yml").write_text("id: toy\ntitle: [1,\n", encoding="utf-8")
    stops(folder, "study.yml, line")


def test_messages_show_no_path_of_the_machine(make_study):
    folder = make_study(sha256="0" * 64)
    assert str(folder.parent) not in " ".join(errors(folder))


def test_everything_is_listed_at_once(make_study):
    rows = [*ROWS, ROWS[0], respondent(6, "1", "-99", "9", "2", "6", "1", "30")]
    items = [*ITEMS[:-1], {"item": "NEW", "scale": "agree7"}]
    folder = make_study(content=qualtrics_text(rows), items=items)
    found = " ".join(errors(folder))
    for part in ("'NEW'", "'AGE'", "more than once: R_1", "code -99"):
        assert part in found
    with pytest.raises(DataContractError) as stopped:
        open_folder(folder)
    assert all(sentence in str(stopped.value) for sentence in errors(folder))


def test_sound_study_has_no_errors(make_study):
    table = findings_table(check_study(make_study()))
    assert (table["severity"] != "error").all()
    assert "5 rows received, 3 analysed." in table["sentence"].tolist()


def test_item_already_turned_is_noticed(make_study):
    rows = [respondent(i, "1", str(a), str(a), str(a), "6", "1", "30") for i, a in
            enumerate([1, 2, 3, 5, 6, 7], start=1)]  # fmt: skip
    found = [f.sentence for f in check_study(make_study(content=qualtrics_text(rows)))]
    assert any("'SAT3' correlates" in s and "already be turned" in s for s in found)


def test_one_wrong_item_does_not_put_the_others_in_doubt(make_study):
    rng = np.random.default_rng(5)
    f = rng.normal(size=300)
    a, b, c = (np.clip(np.round(4 + f + rng.normal(size=300)), 1, 7).astype(int) for _i in range(3))
    rows = [respondent(i, "1", str(x), str(y), str(z), "6", "1", "30") for i, (x, y, z) in
            enumerate(zip(a, b, c), start=1)]  # fmt: skip
    found = [s.sentence for s in check_study(make_study(content=qualtrics_text(rows)))]
    named = [s for s in found if "correlates" in s]
    assert len(named) == 1 and "'SAT3' correlates" in named[0]  # keyed, but stored turned


def test_unknown_name_is_a_finding_not_a_crash():
    assert "is not a study below data/" in check_study("no_such_study")[0].sentence


def test_sum_is_of_the_file_as_stored(make_study):
    folder = make_study()
    content = (folder / "raw" / "main.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() in (folder / "study.yml").read_text(encoding="utf-8")


def test_a_misspelt_key_names_the_keys_allowed_beside_it(make_study, toy_spec):
    toy_spec["scales"]["agree7"]["hihg"] = 7
    toy_spec["screening"]["attention"][0]["acept"] = [1]
    told = errors(make_study(spec=toy_spec))[0]
    assert "allowed here are kind, low, high, labels, unit. Did you mean 'high'?" in told
    assert "allowed here are item, accept. Did you mean 'accept'?" in told


def test_a_missing_key_and_a_wrong_word_say_what_is_needed(make_study, toy_spec):
    del toy_spec["licence"]
    toy_spec["kind"] = "poll"
    told = errors(make_study(spec=toy_spec))[0]
    assert "key licence: is missing; it is needed" in told
    assert "key kind: is not allowed; allowed are 'simulated', 'survey' or 'matrix'" in told
