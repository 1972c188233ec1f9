"""Hand counts and contract: a part of the respondents, named with the study."""

import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import CodebookError, DataContractError
from helpers.i18n import in_language
from helpers.survey.selection import codes_of, parse_selection

STUDY = "online_shopping"


@pytest.fixture(scope="module")
def whole():
    return load_study(STUDY)


@pytest.mark.slow
def test_the_levels_of_a_grouping_share_out_every_row_and_every_mark(whole):
    parts = [load_study(f"{STUDY} where platform = {code}") for code in codes_of(whole, "platform")]
    rows = pd.concat([part.responses for part in parts])
    assert sorted(rows["respondent_id"]) == sorted(whole.responses["respondent_id"])
    assert sum(len(part.raw) for part in parts) == whole.raw["PLATF"].notna().sum()
    marked = sum(part.marks.table["duplicate"].sum() for part in parts)
    has = whole.raw["PLATF"].notna()
    assert marked == whole.marks.table.loc[has, "duplicate"].sum()
    assert all(part.flow["n_before"].iloc[0] == len(part.raw) for part in parts)


def test_terms_hold_as_counted_by_hand(whole):
    part = load_study(f"{STUDY} where PLATF = 1|3 and started_at >= 2026-03-10")
    raw = whole.raw
    day = pd.to_datetime(raw["started_at"]).dt.date.astype(str)
    kept = raw["PLATF"].isin([1, 3]) & (day >= "2026-03-10")
    assert part.raw["respondent_id"].tolist() == raw.loc[kept, "respondent_id"].tolist()
    other = load_study(f"{STUDY} where PLATF != 1")
    assert len(other.raw) == (raw["PLATF"].notna() & (raw["PLATF"] != 1)).sum()


def test_the_last_day_of_a_period_belongs_to_it(whole):
    days = pd.to_datetime(whole.raw["started_at"]).dt.date
    part = load_study(f"{STUDY} where started_at >= 2026-03-05 and started_at <= 2026-03-05")
    assert len(part.raw) == (days.astype(str) == "2026-03-05").sum() > 0


def test_reasons_of_blanks_stay_with_their_rows(whole):
    part = load_study(f"{STUDY} where platform = 2")
    ids = set(part.responses["respondent_id"])
    expected = whole.reasons[whole.reasons["respondent_id"].isin(ids)]
    found = part.reasons.reset_index(drop=True)
    assert len(found) > 0
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))


def test_a_module_follows_the_selection(whole):
    part = load_study(f"{STUDY} where platform = 2").module("followup")
    everyone = whole.module("followup")
    in_part = set(load_study(f"{STUDY} where platform = 2").raw["respondent_id"])
    expected = everyone[everyone["respondent_id"].isin(in_part)]["respondent_id"]
    assert part["respondent_id"].tolist() == expected.tolist()


def test_words_in_two_languages(whole):
    selection = parse_selection("platform=2 and started_at>=2026-03-10")
    assert selection.text() == "platform = 2 and started_at >= 2026-03-10"
    assert selection.words(whole.folder) == "platform = brand's own shop; started ≥ 2026-03-10"
    with in_language("zh"):
        assert selection.words(whole.folder).startswith("平台 = ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plattform = 2", "Did you mean 'platform'?"),
        ("platform = 9", "has codes 1 (general marketplace)"),
        ("platform = two", "has codes 1"),
        ("started_at >= 2026-13-01", "YYYY-MM-DD is needed"),
        ("platform ~ 3", "cannot be read"),
        ("platform >= 1|2", "cannot be read"),
        ("platform = 1 or platform = 2", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_selected_is_said(text, message):
    with pytest.raises(DataContractError) as error:
        _ = load_study(f"{STUDY} where {text}").raw
    assert message in str(error.value)


def test_a_matrix_has_nobody_to_select():
    with pytest.raises(DataContractError, match="published matrix"):
        load_study("maxham_netemeyer_2003 where platform = 1")
    with pytest.raises(CodebookError, match="is not a study"):
        load_study("nowhere where platform = 1")
