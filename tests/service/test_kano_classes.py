"""Reference and recovery: Kano classes by hand, against R, and as planted."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import DataContractError
from helpers.service import kano_study
from helpers.service.asymmetry import penalty_reward
from helpers.service.kano import (
    LETTERS,
    better_worse,
    kano_classes,
    kano_letters,
    modal_class,
    quarter,
    strength_interval,
)
from helpers.service.kano_study import planted_shares, study_kano
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import load_study
from helpers.tables import service_kano as show

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "kano.json").read_text(encoding="utf-8")
)
CLOSE = 1e-9
"""Closed formulas in both programs; the stored digits end at 1e-12."""
ROUNDED = 5e-5
"""Quotients by hand, rounded to four digits."""
COUNTS = np.array([40, 30, 20, 5, 3, 2])


def pairs_of(counts):
    """Answers that lead to so many M, O, A, I, R, Q."""
    sides = {"M": (2, 5), "O": (1, 5), "A": (1, 3), "I": (3, 4), "R": (5, 2), "Q": (1, 1)}
    rows = [sides[x] for x, k in zip(LETTERS, counts, strict=True) for _again in range(k)]
    return pd.DataFrame(rows, columns=["f", "d"], dtype=float)


def test_the_evaluation_table_cell_by_cell():
    """Berger et al. (1993): like x dislike is one-dimensional, dislike x like is reverse, ..."""
    f, d = (v.ravel() for v in np.meshgrid(range(1, 6), range(1, 6), indexing="ij"))
    found = kano_letters(pd.Series(f, dtype=float), pd.Series(d, dtype=float), [1, 2, 3, 4, 5])
    letters = np.array(LETTERS)[found.astype(int)].reshape(5, 5)
    assert letters[0].tolist() == ["Q", "A", "A", "A", "O"]
    assert (letters[1:4, 0] == "R").all() and (letters[4, :4] == "R").all()
    assert (letters[1:4, 1:4] == "I").all()
    assert (letters[1:4, 4] == "M").all() and letters[4, 4] == "Q"


def test_codes_may_run_the_other_way():
    data = pairs_of(COUNTS)
    turned = kano_classes(6 - data, [("a", "f", "d")], answers=[5, 4, 3, 2, 1], n_boot=50)
    plain = kano_classes(data, [("a", "f", "d")], n_boot=50)
    assert turned[list(LETTERS)].to_numpy().tolist() == plain[list(LETTERS)].to_numpy().tolist()
    assert turned["functional"].iloc[0] == pytest.approx(plain["functional"].iloc[0], abs=CLOSE)


def test_half_a_pair_counts_for_nothing_and_is_said():
    data = pairs_of(COUNTS)
    data.loc[0, "d"] = np.nan
    data.loc[1, ["f", "d"]] = np.nan
    found = kano_classes(data, [("a", "f", "d")], n_boot=50).iloc[0]
    assert (found["n_used"], found["n_half"], found["n_blank"]) == (98, 1, 1)
    assert found["M"] == 38


def test_bad_input_is_refused():
    data = pairs_of(COUNTS)
    with pytest.raises(DataContractError, match="'f' holds 9"):
        kano_classes(data.replace({"f": {3.0: 9.0}}), [("a", "f", "d")])
    with pytest.raises(DataContractError, match="9 whole pairs for 'a'"):
        kano_classes(data.iloc[:9], [("a", "f", "d")])
    with pytest.raises(DataContractError, match="data= lacks: g"):
        kano_classes(data, [("a", "f", "g")])


def test_better_and_worse_by_hand():
    """(7.0 + 32.3) / 98.1 and (32.3 + 49.3) / 98.1, in tenths of a percent."""
    found = better_worse(np.array([493, 323, 70, 95, 3, 15]))
    assert found["better"] == pytest.approx(0.4006, abs=ROUNDED)
    assert found["worse"] == pytest.approx(-0.8318, abs=ROUNDED)


def test_intervals_are_wilsons():
    found = better_worse(COUNTS)
    assert (found["better_low"], found["better_high"]) == pytest.approx(REFERENCE["better"])
    low, high = REFERENCE["worse"]
    assert (found["worse_low"], found["worse_high"]) == pytest.approx((-high, -low))
    nobody = better_worse(np.array([0, 0, 0, 0, 7, 3]))
    assert np.isnan(list(nobody.values())).all()


def test_strength_and_fongs_test_by_hand():
    found = modal_class(COUNTS)
    assert (found["modal"], found["second"], found["tied"]) == ("M", "O", False)
    assert found["strength"] == pytest.approx(0.10) and found["total"] == pytest.approx(0.90)
    # 1.65 sqrt(70 * 130 / 200) = 11.13; the difference of 10 is not clear
    assert found["fong_bound"] == pytest.approx(11.1298, abs=1e-4) and not found["fong_clear"]
    assert modal_class(np.array([10, 30, 30, 0, 0, 0]))["second"] == "A"
    assert modal_class(np.array([10, 30, 30, 0, 0, 0]))["tied"]


@pytest.mark.parametrize("row", REFERENCE["strength"])
def test_the_interval_of_the_strength_is_tangos(row):
    first, second, n, low, high = row
    assert strength_interval(first, second, n) == pytest.approx((low, high), abs=CLOSE)


def test_one_class_for_all_leaves_an_interval_with_a_width():
    z2 = 1.959963984540054**2
    low, high = strength_interval(60, 0, 60)
    assert (low, high) == (pytest.approx((60 - z2) / (60 + z2), abs=CLOSE), 1.0)
    assert strength_interval(0, 60, 60) == (-1.0, pytest.approx(-low, abs=CLOSE))


def test_on_the_line_the_quarter_is_that_of_the_evaluation_table():
    pairs = {(2.0, 4.0): (2, 5), (4.0, 2.0): (1, 4), (2.0, 2.0): (2, 4)}  # values: answers
    for values, (good, bad) in pairs.items():
        letter = kano_letters(pd.Series([good]), pd.Series([bad]), [1, 2, 3, 4, 5])
        assert quarter(*values) == LETTERS[int(letter[0])]
    assert quarter(-2.0, -2.0) == quarter(4.0, -2.0) == ""  # all reverse; all questionable
    assert quarter(-1.0, 4.0) == "M"  # can live with it, dislikes its absence


def test_the_interval_of_the_strength_covers_where_fong_is_too_lenient():
    """Two classes of equal share: the interval misses 0 in 5 % of samples, Fong's test in more."""
    rng = np.random.default_rng(8)
    draws = rng.multinomial(300, [0.4, 0.4, 0.1, 0.1, 0, 0], size=1500)
    found = [modal_class(counts) for counts in draws]
    missed = np.mean([f["strength_low"] > 0 for f in found])
    assert missed == pytest.approx(0.05, abs=0.0225)  # four standard errors of 1,500 samples
    assert np.mean([f["fong_clear"] for f in found]) > 0.10


def test_slopes_are_those_of_lm_with_hc3():
    rows = pd.DataFrame(REFERENCE["rows"])
    table, n = penalty_reward(rows, "y", ["x1", "x2"])
    first = table.iloc[0]
    assert n == len(rows)
    assert (first["below"], first["bend"]) == pytest.approx((REFERENCE["below"], REFERENCE["bend"]))
    t = stats.t.ppf(0.975, REFERENCE["df"])
    for key in ("above", "bend"):
        half = (first[f"{key}_high"] - first[f"{key}_low"]) / 2
        assert half / t == pytest.approx(REFERENCE[f"{key}_se"], abs=1e-9)
    assert first["kind"] == "basic"  # 0.6 below five, 0.1 above it
    assert table["kind"].iloc[1] == "even"


def test_ratings_at_one_end_are_refused():
    rows = pd.DataFrame({"y": np.arange(40.0), "x": np.r_[np.ones(30), np.arange(10)]})
    rows["x"] = rows["x"].clip(lower=1)
    with pytest.raises(DataContractError, match="median lies at the end"):
        penalty_reward(rows, "y", ["x"])


def test_planted_shares_by_hand():
    """One attribute of pure must-be: like and dislike answers come by slips alone."""
    truth = {"modules": {"kano": {"slip": 0.2, "attributes": [[1, 0, 0, 0, 0]]}}}
    found = planted_shares(truth).iloc[0]
    # functional: must, neutral, live with .30 + .02 each, like and dislike .02;
    # dysfunctional: dislike .90 + .02, each other .02
    assert found["M"] == pytest.approx(0.96 * 0.92)
    assert found["O"] == pytest.approx(0.02 * 0.92)
    assert found["A"] == pytest.approx(0.02 * 0.06)
    assert found["Q"] == pytest.approx(0.02 * 0.02 + 0.02 * 0.92)
    assert found.sum() == pytest.approx(1)


def test_the_study_recovers_planted_classes():
    study = load_study("online_shopping")
    found = study_kano(study, n_boot=200)
    truth = planted_shares(study.truth)
    assert found["modal"].tolist() == truth.idxmax(axis=1).tolist()
    n = found["n_used"].to_numpy()[:, None]
    z = (found[list(LETTERS)].to_numpy() / n - truth) / np.sqrt(truth * (1 - truth) / n)
    assert (np.abs(z.to_numpy()) < 1.96).mean() >= 0.90
    assert all(check.passed is not False for check in show.kano_checks(study, found))


def test_attributes_that_few_answered_are_left_out_by_name(monkeypatch):
    study = load_study("online_shopping")
    answers = study.module("kano")
    thin = answers.assign(KF01=answers["KF01"].where(answers.index < 5))
    empty = answers.assign(**{f"KF{k:02d}": np.nan for k in range(1, 11)})
    monkeypatch.setattr(type(study), "module", lambda self, name: thin)
    found = study_kano(study, n_boot=2)
    assert len(found) == 9 and "A01" not in set(found["code"])
    assert "both questions: same-day answer." in show.classes_table(study, found).note
    assert show.kano_checks(study, found)[1].passed is not False
    monkeypatch.setattr(type(study), "module", lambda self, name: empty)
    lacking = study_kano(study, n_boot=2)
    assert "no attribute has 10 answers" in lacking.text()
    assert kano_study.kano_numbers(lacking) == []
    assert show.kano_checks(study, lacking) == [lacking]


def test_sentences_heed_ties_and_classes_that_nobody_chose():
    study = load_study("online_shopping")
    found = study_kano(study, n_boot=2)
    both = found.assign(better=found["better"].clip(upper=0.5))
    names = show.better_sentence(study, both).split(", better")[0]
    assert names.count(",") == int((both["better"] == 0.5).sum()) - 1 > 0
    nobody = found.assign(better=np.nan, worse=np.nan)
    assert show.better_sentence(study, nobody).startswith("Nobody")
    alone = found.assign(modal="M", second="O", O=0)
    assert show.firmness_table(study, alone).frame["classes"].iloc[0] == "must-be / –"


def test_ratings_without_two_sides_leave_the_rest_of_the_page(monkeypatch):
    study = load_study("online_shopping")
    high = study.responses.assign(**{f"SPEED{k}": 7.0 for k in (1, 2, 3)})
    monkeypatch.setattr(type(study), "responses", property(lambda self: high))
    monkeypatch.setattr(
        kano_study, "study_term", lambda s, name: _Term(high[[f"{name}1"]].astype(float))
    )
    assert "'SPEED', whose median lies at the end" in kano_study.study_asymmetry(study).text()


class _Term:
    def __init__(self, columns):
        self.columns = columns


def test_a_study_without_pairs_says_so():
    lacking = study_kano(load_study("ecsi_mobile"))
    assert "declares none" in lacking.text()


def test_shares_cover_what_was_planted_when_people_are_drawn_one_by_one():
    """Sixty samples of 500 persons with a class, answers by it, and slips, drawn here anew."""
    sides = {"M": ((2, 3, 4), (5,)), "O": ((1,), (5,)), "A": ((1,), (2, 3, 4)),
             "I": ((2, 3, 4), (2, 3, 4)), "R": ((5,), (1, 2, 3, 4))}  # fmt: skip
    shares = [0.25, 0.35, 0.2, 0.15, 0.05]
    truth = {"modules": {"kano": {"slip": 0.1, "attributes": [shares]}}}
    planted = planted_shares(truth).iloc[0]
    rng = np.random.default_rng(12)
    hits = []
    for _sample in range(60):
        kinds = rng.choice(list(sides), size=500, p=shares)
        drawn = np.array([[rng.choice(options) for options in sides[kind]] for kind in kinds])
        slips = rng.uniform(size=drawn.shape) < 0.05
        drawn = np.where(slips, rng.integers(1, 6, size=drawn.shape), drawn)
        data = pd.DataFrame(drawn, columns=["f", "d"], dtype=float)
        found = kano_classes(data, [("a", "f", "d")], n_boot=2).iloc[0]
        for letter in LETTERS:
            low, high = wilson_interval(int(found[letter]), int(found["n_used"]))
            hits.append(low <= planted[letter] <= high)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.046)  # four SE of 360 intervals


def test_what_was_left_out_and_ties_are_said_below_the_table():
    study = load_study("online_shopping")
    found = study_kano(study, n_boot=2)
    assert "0 pairs with one side missing" in show.classes_table(study, found).note
    assert "tie" not in show.classes_table(study, found).note
    other = found.assign(n_half=[3] + [0] * 9, tied=[True] + [False] * 9)
    note = show.classes_table(study, other).note
    assert "3 pairs with one side missing" in note and "A tie is settled" in note
