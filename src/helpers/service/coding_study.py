"""The complaint log that a study file declares: coders against each other and against customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import (
    DataContractError,
    Unavailable,
    check_level,
    listing,
    passes_unavailable,
)
from helpers.i18n import LANGUAGES, _
from helpers.results import Number
from helpers.service.coding import code_agreement
from helpers.service.coding_alpha import Alpha, Resample
from helpers.service.coding_counts import Coefficient
from helpers.service.coding_pairs import confusion, specific_agreement
from helpers.service.wording import cooccurrence, is_chinese, keyness, term_matrix, terms
from helpers.service_specification import Cases, Coding
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study


EDGE = 1e-12
"""How near to 1 a rank correlation is taken for its interval."""

LEAST = 10
"""Cases that a comparison with the customers needs."""


@dataclass(frozen=True, slots=True)
class CaseLog:
    """Coded complaints.

    Attributes
    ----------
    frame : DataFrame
        One row a case of a respondent in the sample: ``respondent_id`` and the declared columns.
    plan : Cases
    n_out : int
        Cases of respondents who are not in the sample.
    """

    frame: pd.DataFrame
    plan: Cases
    n_out: int

    def codes(self, coding: Coding) -> pd.DataFrame:
        """Return the table of cases by coders of one judgement."""
        return self.frame[coding.items].apply(pd.to_numeric)

    def first(self, level: str) -> Coding | None:
        """Return the first judgement on a scale level."""
        return next((c for c in self.plan.codings if c.level == level), None)


@dataclass(frozen=True, slots=True)
class CodingAgreement:
    """How far the coders agree on one judgement; ``found`` says why not where that fails."""

    coding: Coding
    found: list[Coefficient] | Unavailable

    def coefficient(self, name: str) -> Coefficient | None:
        """Return one coefficient."""
        found = [] if isinstance(self.found, Unavailable) else self.found
        return next((c for c in found if c.name == name), None)

    @property
    def alpha(self) -> Alpha | None:
        """Return Krippendorff's alpha."""
        found = self.coefficient("alpha")
        return found if isinstance(found, Alpha) else None


@dataclass(frozen=True, slots=True)
class SurveyMatch:
    """What coders read in a complaint against what the customer said.

    Attributes
    ----------
    coding : Coding
    who : str
        Item of one coder, or ``consensus``: the common code, or the mean of the coders.
    found : list of Coefficient
        Agreement with the customer (nominal codes), or one entry ``rho``, Spearman's rank
        correlation.
    """

    coding: Coding
    who: str
    found: list[Coefficient]


@passes_unavailable
def read_cases(study: Study) -> CaseLog | Unavailable:
    """Return the complaint log of a study."""
    plan = study.spec.service.cases
    if plan is None:
        return Unavailable(_("the complaint log"), _("the study file declares none"))
    module = study.module(plan.module)
    if isinstance(module, Unavailable):
        return module
    rows = module[module["in_sample"]].reset_index(drop=True)
    return CaseLog(rows, plan, int((~module["in_sample"]).sum()))


@passes_unavailable
def log_agreement(
    log: CaseLog, *, resample: Resample = "cases", n_boot: int = 5000, seed: int = 20261121,
    level: float = LEVEL,
) -> list[CodingAgreement]:  # fmt: skip
    """Return the agreement of the coders on every judgement."""
    check_level(level, "log_agreement")
    return [
        CodingAgreement(
            coding, _agreement(log.codes(coding), coding, resample, n_boot, seed, level)
        )
        for coding in log.plan.codings
    ]


def _agreement(
    codes: pd.DataFrame, coding: Coding, resample: Resample, n_boot: int, seed: int, level: float
) -> list[Coefficient] | Unavailable:
    """Return the coefficients of one judgement, or why there are none."""
    common = codes[codes.notna().sum(axis=1) >= 2]
    what = _("the agreement of the coders")
    if len(common) < 2:
        return Unavailable(what, _("fewer than two cases were judged by two of them"))
    if common.stack().nunique() < 2:
        return Unavailable(what, _("all codes are the same"))
    return code_agreement(
        codes, scale=coding.level, resample=resample, n_boot=n_boot, seed=seed, level=level
    )


@passes_unavailable
def log_confusion(
    log: CaseLog, *, level: float = LEVEL
) -> tuple[Coding, pd.DataFrame, pd.DataFrame] | Unavailable:
    """Return the first nominal judgement, its confusion table, and the agreement on each code.

    Of more than two coders, those two who share most cases.
    """
    check_level(level, "log_confusion")
    coding = log.first("nominal")
    what = _("the confusion of coders")
    if coding is None:
        return Unavailable(what, _("the study file declares no nominal judgement"))
    codes = most_shared(log.codes(coding))
    if len(codes.dropna()) < 2:
        return Unavailable(what, _("fewer than two cases were judged by two of them"))
    return coding, confusion(codes), specific_agreement(codes, level=level)


def most_shared(codes: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the two coders who judged most cases in common; of ties the first."""
    given = codes.notna().to_numpy().astype(int)
    shared = np.triu(given.T @ given + 1, k=1)  # more than the 0 below, also without common cases
    return codes.iloc[:, list(np.unravel_index(shared.argmax(), shared.shape))]


def consensus(codes: pd.DataFrame, level: str) -> pd.Series:
    """Return one code a case, or the mean of those who judged it where codes have an order.

    Nominal: the code that all who judged the case gave, two of them at least; else blank.
    """
    if level != "nominal":
        return codes.mean(axis=1)
    alike = (codes.nunique(axis=1) == 1) & (codes.notna().sum(axis=1) >= 2)
    return codes.bfill(axis=1).iloc[:, 0].where(alike)


@passes_unavailable
def survey_matches(
    study: Study, log: CaseLog, *, n_boot: int = 5000, seed: int = 20261121, level: float = LEVEL
) -> list[SurveyMatch] | Unavailable:
    """Hold what the coders read against what the customers answered."""
    check_level(level, "survey_matches")
    found = []
    for coding in log.plan.codings:
        if coding.survey is None:
            continue
        codes, said = log.codes(coding), customer_answers(study, log, coding)
        readers = {item: codes[item] for item in coding.items}
        readers["consensus"] = consensus(codes, coding.level)
        for who, read in readers.items():
            pair = pd.DataFrame({"read": read, "said": said}).dropna()
            if len(pair) < LEAST or min(pair["read"].nunique(), pair["said"].nunique()) < 2:
                continue
            if coding.level == "nominal":
                same = code_agreement(pair, scale="nominal", n_boot=n_boot, seed=seed, level=level)
            else:
                same = [rank_correlation(pair["read"], pair["said"], level=level)]
            found.append(SurveyMatch(coding, who, same))
    if not found:
        return Unavailable(
            _("a comparison with the customers"),
            _("the study file names no answer that can be compared"),
        )
    return found


def customer_answers(study: Study, log: CaseLog, coding: Coding) -> pd.Series:
    """Return the customers' own answers beside the cases: an item, or a scale score."""
    table = study.responses if coding.survey in study.responses else study.scores
    answers = pd.to_numeric(table.set_index("respondent_id")[coding.survey])
    return log.frame["respondent_id"].map(answers)


def rank_correlation(x: pd.Series, y: pd.Series, *, level: float = LEVEL) -> Coefficient:
    """Return Spearman's rho with the interval of Bonett & Wright (2000).

    ``se(z) = sqrt((1 + r**2 / 2) / (n - 3))`` for Fisher's z (doi:10.1007/BF02294183).
    """
    check_level(level, "rank_correlation")
    rho, n = float(stats.spearmanr(x, y).statistic), len(x)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt((1 + rho**2 / 2) / (n - 3))
    # perfect ranks have no finite z; the last step before them stands for it
    z = np.arctanh(np.clip(rho, -1 + EDGE, 1 - EDGE))
    low, high = np.tanh(z + np.array([-half, half]))
    return Coefficient(
        "rho", rho, float(low), float(high), n, 2, "Spearman's rho; Bonett & Wright", level
    )


@passes_unavailable
def log_terms(log: CaseLog, language: str) -> tuple[pd.Series, list[list[str]]] | Unavailable:
    """Return agreed failure types, and the terms, of the cases written in a language.

    Raises
    ------
    DataContractError
        A language other than those whose words can be cut.
    """
    if language not in LANGUAGES:
        raise DataContractError(
            f"log_terms: language= '{language}' is not known; allowed are {listing(LANGUAGES)}. "
            "Choose one."
        )
    what, coding = _("the words of the complaints"), log.first("nominal")
    if log.plan.text is None or coding is None:
        return Unavailable(what, _("the study file names no text and no nominal judgement"))
    texts = log.frame[log.plan.text].fillna("").astype(str)
    own = texts.map(is_chinese) == (language == "zh")
    types = consensus(log.codes(coding), "nominal")
    kept = own & types.notna() & (texts.str.strip() != "")
    if (own & (texts.str.strip() != "")).any() and not kept.any():
        return Unavailable(what, _("the coders agree on no complaint in this language"))
    documents = [terms(text) for text in texts[kept]]
    if not any(documents):
        return Unavailable(what, _("no complaint in this language holds a word"))
    return types[kept].reset_index(drop=True), documents


@passes_unavailable
def type_keyness(
    found: tuple[pd.Series, list[list[str]]], *, level: float = LEVEL
) -> dict[float, pd.DataFrame] | Unavailable:
    """Return the key terms of every failure type with enough cases."""
    check_level(level, "type_keyness")
    types, documents = found
    least = THRESHOLDS["cell_size"].value
    sizes = types.value_counts().sort_index()
    told = {
        float(code): keyness(documents, (types == code).tolist(), level=level)
        for code, n in sizes.items()
        if least <= n < len(types)
    }
    why = _("no failure type has enough complaints, or there is one type only")
    return told or Unavailable(_("the words of the failure types"), why)


@passes_unavailable
def type_pairs(found: tuple[pd.Series, list[list[str]]], *, level: float = LEVEL) -> pd.DataFrame:
    """Return pairs of terms, with the failure type in which most cases that hold both stand.

    Columns of ``cooccurrence`` and type, share (of the cases that hold both).
    """
    check_level(level, "type_pairs")
    types, documents = found
    pairs = cooccurrence(documents, level=level)
    counts, words = term_matrix(documents)
    has = (counts > 0).astype(np.int64)
    place = pd.Series(np.arange(len(words)), index=words)
    i, j = place[pairs["first"]].to_numpy(), place[pairs["second"]].to_numpy()
    codes = np.sort(types.unique())
    held = np.zeros((len(codes), len(pairs)))
    for k, code in enumerate(codes):
        own = has[np.flatnonzero(types == code)]
        held[k] = np.asarray(own[:, i].multiply(own[:, j]).sum(axis=0)).ravel()
    if pairs.empty:
        return pairs.assign(type=np.zeros(0), share=np.zeros(0))
    return pairs.assign(type=codes[held.argmax(axis=0)], share=held.max(axis=0) / held.sum(axis=0))


def agreement_numbers(found: list[CodingAgreement]) -> list[Number]:
    """Return all coefficients for ``results.json``, intervals without width left out."""
    return [
        Number(
            f"{c.name}_{each.coding.code}", c.estimate, c.method, None if c.flat else c.ci_low,
            None if c.flat else c.ci_high, None if c.flat else c.level, c.n_cases, method=c.method,
        )
        for each in found
        if not isinstance(each.found, Unavailable)
        for c in each.found
    ]  # fmt: skip


def coder_accuracy(
    study: Study, log: CaseLog, truth: Mapping[str, object], *, level: float = LEVEL
) -> list[tuple[str, float, float, float, float]]:
    """Return for each coder of the simulated log: item, share right, its interval, planted share.

    Right is the failure type that the customer named, which is the true one in simulated data.
    """
    coding = log.first("nominal")
    if coding is None or coding.survey is None:
        return []
    said, codes = customer_answers(study, log, coding), log.codes(coding)
    rows = []
    for item, planted in zip(coding.items, truth["modules"]["cases"]["type_accuracy"], strict=True):
        both = codes[item].notna() & said.notna()
        hits, n = int((codes[item] == said)[both].sum()), int(both.sum())
        rows.append((item, hits / n, *wilson_interval(hits, n, level=level), float(planted)))
    return rows
