"""Reference: agreement of coders and words of complaints against published examples, R and hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, EstimationError, Unavailable
from helpers.plots import attached_alt_text
from helpers.plots.confusion import plot_confusion
from helpers.service.coding import code_agreement, cohen_kappa, gwet_ac, percent_agreement
from helpers.service.coding_alpha import krippendorff_alpha
from helpers.service.coding_pairs import confusion, specific_agreement
from helpers.service.coding_study import (
    CodingAgreement,
    agreement_numbers,
    coder_accuracy,
    consensus,
    log_agreement,
    log_terms,
    most_shared,
    read_cases,
    survey_matches,
    type_keyness,
    type_pairs,
)
from helpers.service.wording import cooccurrence, is_chinese, keyness, masked, terms
from helpers.service_specification import Coding
from helpers.study import list_studies
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import load_study
from helpers.tables.service_cases import agreement_checks, agreement_sentence, agreement_table

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "coding.json").read_text(encoding="utf-8")
)
CLOSE = 1e-9
"""Closed formulas in both programs."""
PRINTED = 5e-4
"""Printed to three digits."""
IRRCAC = 5e-6
"""Printed to five digits and more by the R package irrCAC in its overview."""

_ = np.nan
# Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D: four observers.
FOUR = pd.DataFrame(
    {
        "a": [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        "b": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        "c": [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        "d": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    }
)


def from_table(table):
    """Pairs of codes of a table of two coders."""
    rows = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _k in range(n)]
    return pd.DataFrame(rows, columns=["one", "two"], dtype=float)


ABSTRACTORS = from_table([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
"""Printed with the R package irrCAC (Gwet): two abstractors of 100 patients."""


@pytest.mark.parametrize(
    ("scale", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_krippendorffs(scale, printed):
    found = krippendorff_alpha(FOUR, scale=scale, n_boot=200)
    assert found.estimate == pytest.approx(printed, abs=PRINTED)
    assert (found.n_cases, found.n_coders) == (11, 4)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_alpha_and_ac_agree_with_formulas_in_r(scale):
    three = pd.DataFrame(REFERENCE["three"]).astype(float)
    assert krippendorff_alpha(three, scale=scale, n_boot=50).estimate == pytest.approx(
        REFERENCE["alpha"][scale], abs=CLOSE
    )
    found, wanted = gwet_ac(three, scale=scale), REFERENCE["gwet"][scale]
    assert found.estimate == pytest.approx(wanted["ac"], abs=CLOSE)
    t = 2.000995378088259  # qt(.975, 59)
    assert (found.estimate - found.ci_low) / t == pytest.approx(wanted["se"], abs=1e-8)


def test_two_coders_as_printed_with_irrcac():
    kappa, ac = cohen_kappa(ABSTRACTORS), gwet_ac(ABSTRACTORS)
    assert kappa.estimate == pytest.approx(0.7964094, abs=IRRCAC)
    assert ac.estimate == pytest.approx(0.8493305, abs=IRRCAC)
    assert (ac.ci_low, ac.ci_high) == pytest.approx((0.764, 0.935), abs=1e-3)
    alpha = krippendorff_alpha(ABSTRACTORS, n_boot=50)
    assert alpha.estimate == pytest.approx(0.7972585, abs=IRRCAC)
    assert percent_agreement(ABSTRACTORS).estimate == pytest.approx(0.89, abs=CLOSE)


def test_four_coders_ac1_as_gwet_computes_it():
    """AC1 = 0.77544: the same data in irrCAC."""
    assert gwet_ac(FOUR).estimate == pytest.approx(0.77544, abs=IRRCAC)


def test_kappa_agrees_with_psych():
    two = pd.DataFrame(REFERENCE["two"]).astype(float)
    wanted = REFERENCE["kappa"]
    found = cohen_kappa(two)
    assert found.estimate == pytest.approx(wanted["nominal"], abs=CLOSE)
    se = (found.estimate - found.ci_low) / 1.959963984540054
    assert se**2 == pytest.approx(wanted["nominal_var"], abs=1e-6)
    assert cohen_kappa(two, scale="interval").estimate == pytest.approx(
        wanted["quadratic"], abs=CLOSE
    )
    assert cohen_kappa(two, scale="ordinal").estimate == pytest.approx(wanted["linear"], abs=CLOSE)


@pytest.mark.parametrize("resample", ["pairs", "cases"])
def test_intervals_of_alpha_cover_the_truth(resample):
    """300 logs of 100 cases, two coders right with .85 of 3 codes: coverage within 4 errors."""
    rng, hits = np.random.default_rng(2), 0
    same = 0.85**2 + 2 * 0.075**2
    truth = 1 - (1 - same) / (2 / 3)
    for k in range(300):
        true = rng.integers(0, 3, 100)
        away = rng.integers(1, 3, (2, 100))
        codes = np.where(rng.random((2, 100)) < 0.85, true, (true + away) % 3)
        found = krippendorff_alpha(
            pd.DataFrame(codes.T), resample=resample, n_boot=400, seed=k, level=0.95
        )
        hits += found.ci_low <= truth <= found.ci_high
    assert abs(hits / 300 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 300)


def test_order_of_cases_and_coders_does_not_matter():
    shuffled = FOUR.iloc[::-1, [2, 0, 3, 1]]
    for scale in ("nominal", "ordinal"):
        one, two = (krippendorff_alpha(t, scale=scale, n_boot=50) for t in (FOUR, shuffled))
        assert one.estimate == pytest.approx(two.estimate, abs=CLOSE)
        assert gwet_ac(FOUR, scale=scale).estimate == pytest.approx(
            gwet_ac(shuffled, scale=scale).estimate, abs=CLOSE
        )


def test_confusion_and_specific_agreement_by_hand():
    assert confusion(ABSTRACTORS).to_numpy().tolist() == [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
    found = specific_agreement(ABSTRACTORS)
    assert found["estimate"].to_numpy() == pytest.approx([1, 40 / 51, 112 / 123], abs=CLOSE)
    assert (found["ci_low"] <= found["estimate"]).all()
    assert found["n"].tolist() == [13, 25.5, 61.5]


def test_consensus_blanks_what_coders_dispute():
    codes = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 3.0, _]})
    assert consensus(codes, "nominal").tolist()[0] == 1
    assert consensus(codes, "nominal").isna().tolist() == [False, True, True]
    assert consensus(codes, "ordinal").tolist() == [1, 2.5, 3]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: krippendorff_alpha(pd.DataFrame({"a": [1, _], "b": [_, 2]})),
            DataContractError, "no case that two",
        ),
        (
            lambda: gwet_ac(pd.DataFrame({"a": [1, _], "b": [_, 2]})),
            DataContractError, "no case that two",
        ),
        (lambda: krippendorff_alpha(pd.DataFrame({"a": [1, 2]})), DataContractError, "two coders"),
        (
            lambda: krippendorff_alpha(pd.DataFrame({"a": [1, 1], "b": [1, 1]})),
            EstimationError, "all are 1",
        ),
        (lambda: gwet_ac(FOUR, scale="ratio"), DataContractError, "nominal, ordinal, interval"),
        (lambda: cohen_kappa(FOUR), DataContractError, "two coders"),
        (lambda: keyness([["a"]], [True]), DataContractError, "either side"),
        (lambda: cooccurrence([[], []]), DataContractError, "without a single term"),
    ],
)  # fmt: skip
def test_bad_input_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_keyness_agrees_with_r():
    target = [["late"] * 6 + ["word"] * 74] * 5
    rest = [["late"] * 2 + ["word"] * 98] * 6
    found = keyness(target + rest, [True] * 5 + [False] * 6).set_index("term")
    assert found.loc["late", "g2"] == pytest.approx(REFERENCE["keyness"]["g2"], abs=1e-8)
    assert found.loc["late", "log_ratio"] == pytest.approx(
        REFERENCE["keyness"]["log_ratio"], abs=1e-8
    )
    assert found.loc["late", "cases"] == 5
    assert found.loc["late", "dispersion"] == pytest.approx(0, abs=CLOSE)
    assert found.index[0] == "late"


def test_pairs_agree_with_r():
    cases = [["a", "b"]] * 18 + [["b"]] * 15 + [["a"]] * 22 + [["c"]] * 145
    found = cooccurrence(cases)
    assert found[["first", "second"]].iloc[0].tolist() == ["a", "b"]
    assert found["g2"].iloc[0] == pytest.approx(REFERENCE["pair"]["g2"], abs=1e-8)
    assert found["lift"].iloc[0] == pytest.approx(REFERENCE["pair"]["lift"], abs=1e-8)


def test_dispersion_sees_what_is_piled_up():
    piled = [["x"] * 20, *[["x", "y", "y", "y"]] * 6, *[["y"] * 4] * 13]
    even = [["x", "y", "y", "y"]] * 20
    one = keyness(piled + [["z"]] * 5, [True] * 20 + [False] * 5).set_index("term")
    two = keyness(even + [["z"]] * 5, [True] * 20 + [False] * 5).set_index("term")
    assert one.loc["x", "dispersion"] > 0.5
    assert two.loc["x", "dispersion"] == pytest.approx(0, abs=CLOSE)


def test_what_could_name_a_person_is_masked_and_rare_terms_are_not_shown():
    text = "Reach me at jane.roe@example.org, +86 138-0000-0000 or http://x.example/u?id=9 please"
    assert masked(text) == "Reach me at or please"
    assert "example" not in terms(text)
    assert terms("请联系 zhang@example.com 或 13800000000，物流太慢") == ["联系", "物流", "太慢"]
    found = keyness(
        [["rare", "late"]] * 4 + [["late"]] * 6 + [["fine"]] * 9, [True] * 10 + [False] * 9
    )
    assert "rare" not in set(found["term"])


@pytest.mark.parametrize(
    "text", ["<script>alert('x')</script>", "=1+1", "@SUM(1+1)", "</td></table>", "a" * 100_000, ""]
)
def test_hostile_texts_are_text(text):
    assert all(term.replace("-", "").replace("'", "").isalpha() for term in terms(text))


def test_chinese_is_cut_with_the_words_of_the_field():
    assert is_chinese("物流 late")
    found = terms("客服没有给我补发，个人信息也泄露了")
    assert {"客服", "补发", "个人信息", "泄露"} <= set(found)
    assert "没有" not in found


def test_the_simulated_log_finds_what_was_planted():
    study = load_study("online_shopping")
    log = read_cases(study)
    agreed = {each.coding.code: each for each in log_agreement(log, n_boot=500)}
    right, wrong = 0.92 * 0.88, 0.08 * 0.12 / 4
    found = agreed["type"].coefficient("percent")
    error = np.sqrt((right + wrong) * (1 - right - wrong) / found.n_cases)
    assert abs(found.estimate - right - wrong) < 3 * error
    for _item, share, _low, _high, planted in coder_accuracy(study, log, study.truth):
        assert abs(share - planted) < 3 * np.sqrt(planted * (1 - planted) / len(log.frame))
    matches = {(m.coding.code, m.who): m.found for m in survey_matches(study, log, n_boot=200)}
    assert matches["type", "consensus"][0].estimate > matches["type", "CA_TYPE1"][0].estimate
    assert matches["severity", "consensus"][0].ci_low > 0
    for language in ("en", "zh"):
        words = log_terms(log, language)
        keys = type_keyness(words)
        assert len(keys) == 5
        assert min(table["cases"].min() for table in keys.values()) >= 5
        assert (type_pairs(words)["cases"] >= 5).all()


def test_coders_without_a_common_case_get_a_sentence():
    study = load_study("online_shopping")
    log = read_cases(study)
    item = log.plan.codings[0].items[0]
    log.frame[item] = np.nan
    found = log_agreement(log, n_boot=50)[0].found
    assert isinstance(found, Unavailable)
    assert "fewer than two cases were judged" in found.why


def test_more_than_two_coders_get_no_kappa():
    assert [c.name for c in code_agreement(FOUR, n_boot=50)] == ["percent", "alpha", "ac"]


def test_studies_without_cases_say_so():
    for name in list_studies():
        if name != "online_shopping":
            assert isinstance(read_cases(load_study(name)), Unavailable)


def test_the_picture_of_two_coders_says_what_it_shows():
    ax = plot_confusion(confusion(ABSTRACTORS), labels={0.0: "first", 1.0: "second", 2.0: "third"})
    assert "89 of 100" in attached_alt_text(ax)
    assert [text.get_text() for text in ax.texts] == [
        "13",
        "0",
        "0",
        "0",
        "20",
        "7",
        "0",
        "4",
        "56",
    ]
    with pytest.raises(DataContractError, match="same codes"):
        plot_confusion(confusion(ABSTRACTORS).iloc[:2])


def three_coders(rng: np.random.Generator) -> pd.DataFrame:
    """Sixty cases of four types; each of four coders is right in 70 of 100, else guesses."""
    true = rng.choice(4, 60)
    guesses = rng.choice(4, (4, 60))
    return pd.DataFrame(np.where(rng.random((4, 60)) < 0.7, true, guesses).T.astype(float))


@pytest.mark.slow
def test_the_interval_in_force_covers_with_several_coders():
    """Alpha is the squared share of right codes, 0.49; drawing pairs covered 78 of 100."""
    rng, hits = np.random.default_rng(8), 0
    for k in range(300):
        found = krippendorff_alpha(three_coders(rng), n_boot=400, seed=k)
        hits += found.ci_low <= 0.49 <= found.ci_high
    assert hits / 300 > 0.90


def test_kappa_of_interval_codes_counts_squared_differences_of_values():
    """By hand: one less the mean squared difference over that of independent coders."""
    codes = pd.DataFrame({"a": [1.0, 2, 7, 7, 1, 2, 7, 1], "b": [1.0, 2, 7, 2, 2, 2, 7, 1]})
    a, b = codes["a"].to_numpy(), codes["b"].to_numpy()
    chance = np.mean(np.subtract.outer(a, b) ** 2)
    found = cohen_kappa(codes, scale="interval")
    assert found.estimate == pytest.approx(1 - np.mean((a - b) ** 2) / chance)


@pytest.mark.parametrize("ask", [krippendorff_alpha, gwet_ac, percent_agreement])
def test_one_common_case_is_no_agreement(ask):
    with pytest.raises(DataContractError, match="holds 1 case that two of 2 coders"):
        ask(pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": [2.0, np.nan, 1.0]}))


def test_several_coders_who_always_agree_are_not_sure_beyond_their_cases():
    found = percent_agreement(pd.DataFrame({k: [1.0, 2.0] * 5 for k in "abc"}))
    assert found.estimate == 1 and (found.ci_low, found.ci_high) == wilson_interval(10, 10)


def test_a_code_is_common_where_those_who_judged_agree():
    nan = np.nan
    codes = pd.DataFrame({"a": [1, nan, 1, nan], "b": [1, 2, 2, nan], "c": [nan, 2, 1, 3.0]})
    assert consensus(codes, "nominal").tolist() == pytest.approx([1, 2, nan, nan], nan_ok=True)


def test_the_two_coders_with_most_common_cases_are_confused():
    nan = np.nan
    codes = pd.DataFrame({"a": [1.0, nan, nan], "b": [nan, 2.0, 1.0], "c": [1.0, 2.0, 1.0]})
    assert list(most_shared(codes)) == ["b", "c"]
    assert list(most_shared(codes.iloc[:1])) == ["a", "c"]
    assert list(most_shared(codes[["a", "b"]])) == ["a", "b"]


def test_no_type_with_enough_complaints_is_a_sentence():
    types = pd.Series([1.0, 2.0, 1.0])
    assert isinstance(type_keyness((types, [["a"], ["b"], ["c"]])), Unavailable)


def test_an_agreement_of_nobody_is_a_table_of_reasons():
    coding = Coding(code="c", name={"en": "type", "zh": "类型"}, items=["a", "b"], level="nominal")
    found = [CodingAgreement(coding, Unavailable("agreement", "nobody judged"))]
    assert agreement_table(found).frame["estimate"].isna().all()


def test_a_single_judgement_is_not_the_least():
    coding = Coding(code="c", name={"en": "type", "zh": "类型"}, items=["a", "b"], level="nominal")
    codes = pd.DataFrame({"a": [1.0, 2, 1, 2], "b": [1.0, 2, 1, 1]})
    found = [CodingAgreement(coding, code_agreement(codes, n_boot=20))]
    assert agreement_sentence(found).startswith("On type the coders agree with alpha")


def test_texts_in_two_languages_keep_the_words_of_the_one_that_prevails():
    mixed = "The shop 京东 didn’t answer; see (WWW.shop.example/a) or shop.com"
    assert not is_chinese(mixed)
    assert terms(mixed) == ["shop", "didn't", "answer"]
    assert terms("😡😡") == []


def test_unknown_choices_are_refused():
    with pytest.raises(DataContractError, match="allowed are pairs, cases"):
        krippendorff_alpha(FOUR, resample="rows")
    with pytest.raises(DataContractError, match="allowed are en, zh"):
        log_terms(None, "fr")


def unanimous(names: tuple[str, ...] = ("type",)) -> list[CodingAgreement]:
    """Judgements of two coders who agree in ten cases."""
    codes = pd.DataFrame({k: [1.0, 2.0] * 5 for k in "ab"})
    codings = [
        Coding(code=n, name={"en": n, "zh": n}, items=["a", "b"], level="nominal") for n in names
    ]
    return [CodingAgreement(coding, code_agreement(codes, n_boot=20)) for coding in codings]


def test_intervals_without_width_are_told_wherever_they_are_shown():
    found = unanimous()
    assert [c.flat for c in found[0].found] == [False, True, True, True]
    assert "no certainty: read that of the equal codes" in agreement_table(found).note
    low = wilson_interval(10, 10)[0]  # 72 %
    assert agreement_sentence(found) == (
        "On type all codes agree, in 10 cases. Alpha is 1 and has no interval; the share of equal "
        f"codes has the 95% CI [{100 * low:.0f}%, 100%]."
    )
    assert agreement_sentence(unanimous(("type", "cause"))).startswith("On each judgement all")
    assert "All codes agree in 10 cases" in agreement_checks(found)[0].text
    ends = {n.id: (n.ci_low, n.ci_high, n.level) for n in agreement_numbers(found)}
    assert ends["alpha_type"] == ends["kappa_type"] == ends["ac_type"] == (None, None, None)
    assert ends["percent_type"][0] == low


def test_disputed_codes_keep_their_intervals_and_no_word_of_width():
    coding = unanimous()[0].coding
    found = [CodingAgreement(coding, code_agreement(ABSTRACTORS, n_boot=20))]
    assert "no certainty" not in agreement_table(found).note
    assert None not in [n.ci_low for n in agreement_numbers(found)]


def test_agreement_on_a_code_is_wilsons_interval_brought_through():
    """By hand: 2 p / (1 + p) for 13 of 13, 20 of 31 and 56 of 67 cases with the code."""
    found = specific_agreement(ABSTRACTORS)
    for row, hits, n in zip(found.itertuples(), (13, 20, 56), (13, 31, 67), strict=True):
        ends = [2 * p / (1 + p) for p in wilson_interval(hits, n)]
        assert (row.ci_low, row.ci_high) == pytest.approx(ends)


@pytest.mark.slow
def test_agreement_on_a_rare_code_covers():
    """Two coders right in 98 of 100 cases, a code in 5 of 100: resampling cases covered 85."""
    rng = np.random.default_rng(1)
    shares = np.array([0.05, 0.65, 0.3])
    right = np.full((3, 3), 0.01) + 0.97 * np.eye(3)
    cells = np.einsum("t,ta,tb->ab", shares, right, right)
    truth = 2 * cells[0, 0] / (cells[0].sum() + cells[:, 0].sum())
    hits = n = 0
    for _k in range(400):
        drawn = np.repeat(np.arange(9), rng.multinomial(100, cells.ravel()))
        codes = pd.DataFrame({"a": drawn // 3, "b": drawn % 3}, dtype=float)
        row = specific_agreement(codes).set_index("code")
        if 0.0 in row.index:
            n += 1
            hits += row.loc[0.0, "ci_low"] <= truth <= row.loc[0.0, "ci_high"]
    assert abs(hits / n - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n)


def test_no_draw_is_refused():
    with pytest.raises(DataContractError, match="n_boot= is 0; at least 1 draw"):
        krippendorff_alpha(FOUR, n_boot=0)
