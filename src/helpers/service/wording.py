"""The words of complaints: terms in Chinese and English, keyness, dispersion, co-occurrence.

Texts are material: they are cut into terms and counted, never run, shown or stored. Whatever could
name a person (addresses, numbers, links) is masked before, and rare terms are not reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import xlogy
from statsmodels.stats.multitest import multipletests

from helpers.errors import DataContractError, check_level
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL, THRESHOLDS

_ASCII = re.compile(r"[!-~]+")
_NAMING = re.compile(r"[\d@]|://|\bwww\.|\w\.(com|cn|net|org)\b", re.IGNORECASE)
_CJK = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_ENGLISH = re.compile(r"[a-z][a-z'\-]+[a-z]")
_CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")

# Stop words of the library that carry meaning in a complaint.
_KEPT = frozenset({"bill", "call", "describe", "detail", "serious", "system", "never", "nothing"})

# Words of two and more characters that carry no content, and words of the field for the cutter;
# each string holds the words with blanks between them.
_CHINESE_STOP = frozenset(
    word
    for line in (
        "我们 你们 他们 这个 那个 这次 那次 一个 一次 一直 没有 就是 还是 但是 不过 因为 所以",
        "已经 可以 什么 怎么 自己 现在 之后 以后 以前 时候 而且 然后 还有 如果 虽然 只是 真的",
        "非常 比较 这样 那样 这里 那里 为了 关于 以及 或者 并且 不是 不能 不会 都是 的话 有点",
        "几天 第二次 请问",
    )
    for word in line.split()
)
_CHINESE_DOMAIN = (
    "客服", "物流", "退款", "退货", "换货", "补发", "售后", "差评", "好评", "运费", "优惠券",
    "个人信息", "验证码", "下单", "到账", "扣款", "发货", "签收", "快递", "包裹", "描述不符",
    "手机壳", "快递单", "这家店", "太气人", "气人", "电饭煲",
)  # fmt: skip


def is_chinese(text: str) -> bool:
    """Tell whether a text is written in Chinese: as many characters at least as Latin words.

    So an English complaint that names a shop in Chinese stays English.

    Examples
    --------
    >>> is_chinese("APP 闪退"), is_chinese("The shop 京东 never answered my call")
    (True, False)
    """
    characters = len(_CJK.findall(text))
    return characters > 0 and characters >= len(_LATIN_WORD.findall(text))


def masked(text: str) -> str:
    """Return a text without e-mail addresses, links, telephone numbers and other numbers.

    A word goes if it holds a digit, an at sign, a scheme or the name of a site; of Chinese texts
    all ASCII goes.

    Examples
    --------
    >>> masked("write to a.b@example.com or call 138 0000 0000 about order C001")
    'write to or call about order'
    """
    if is_chinese(text):
        return _ASCII.sub(" ", text)
    return " ".join(word for word in text.split() if not _NAMING.search(word))


def terms(text: str) -> list[str]:
    """Return the terms of one complaint in their order, stop words left out.

    English: words of at least three letters in lower case. Chinese: words of at least two
    characters, cut by jieba with the field's words added. Mark-up and formulas are text like any.
    """
    plain = masked(text)
    if is_chinese(plain):
        found = (word for run in _CHINESE.findall(plain) for word in _cutter().lcut(run))
        return [word for word in found if len(word) > 1 and word not in _CHINESE_STOP]
    straight = plain.lower().replace("’", "'")
    return [word for word in _ENGLISH.findall(straight) if word not in _english_stop()]


@lru_cache(maxsize=1)
def _cutter() -> Any:
    """Return jieba's tokenizer with the field's words."""
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    cutter = jieba.Tokenizer()
    for word in _CHINESE_DOMAIN:
        cutter.add_word(word)
    return cutter


@lru_cache(maxsize=1)
def _english_stop() -> frozenset[str]:
    """Return English words without content."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) - _KEPT


def term_matrix(documents: Sequence[Sequence[str]]) -> tuple[Any, np.ndarray]:
    """Return counts of terms as a sparse matrix (cases, terms), and the terms.

    Raises
    ------
    DataContractError
        No case holds a term.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if not any(documents):
        raise DataContractError(
            f"term_matrix: documents= holds {len(documents)} cases without a single term; texts "
            "are needed. Check the column of the text and its language."
        )
    maker = CountVectorizer(analyzer=_as_is)
    counts = maker.fit_transform(documents)
    return counts, maker.get_feature_names_out()


def _as_is(words: Sequence[str]) -> Sequence[str]:
    """Return terms unchanged."""
    return words


def keyness(
    documents: Sequence[Sequence[str]],
    target: Sequence[bool],
    *,
    least: int | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Compare how often terms are used in some cases and in all others.

    Parameters
    ----------
    documents : sequence of sequences of str
        Terms of each case.
    target : sequence of bool, same length
        The cases to be told by their words.
    least : int, optional
        Cases of the target that must hold a term before it is shown, so that no term points to a
        person; by default the suite's ``cell_size``.
    level : float

    Returns
    -------
    DataFrame
        One row a term, keyest first: term, n_target, n_rest (uses), cases (of the target that hold
        it), log_ratio (binary logarithm of the ratio of relative frequencies; half a use is put
        where there is none), ci_low, ci_high, g2, p_value, p_fdr, dispersion (deviation of
        proportions in the target: 0 even over cases, near 1 piled up in few).

    Notes
    -----
    ``G2 = 2 sum(O log(O / E))`` over the four cells of uses of the term and of all other terms, in
    the target and elsewhere, with one degree of freedom; p by Benjamini & Hochberg over all terms
    shown. Uses within a case are not independent: read the order, not the third digit.
    Checked by hand and against R (tests/reference/coding.R).

    References
    ----------
    Dunning (1993), Computational Linguistics 19(1), 61-74.
    Gries (2008), doi:10.1075/ijcl.13.4.02gri.
    """
    check_level(level, "keyness")
    chosen = np.asarray(target, dtype=bool)
    if len(chosen) != len(documents) or chosen.all() or not chosen.any():
        raise DataContractError(
            f"keyness: target= marks {int(chosen.sum())} of {len(documents)} cases; some cases on "
            "either side are needed. Compare another group."
        )
    least = int(THRESHOLDS["cell_size"].value) if least is None else least
    counts, words = term_matrix(documents)
    inside = counts[np.flatnonzero(chosen)]
    a = np.asarray(inside.sum(axis=0), dtype=float).ravel()
    b = np.asarray(counts.sum(axis=0), dtype=float).ravel() - a
    cases = np.asarray((inside > 0).sum(axis=0)).ravel()
    kept = np.flatnonzero(cases >= least)
    table = _key_table(a[kept], b[kept], a.sum(), b.sum(), level)
    table.insert(0, "term", words[kept])
    table.insert(3, "cases", cases[kept])
    table["dispersion"] = _deviation(inside, kept)
    order = np.lexsort((table["term"], -table["g2"] * np.sign(table["log_ratio"])))
    return table.iloc[order].reset_index(drop=True)


def _key_table(
    a: np.ndarray, b: np.ndarray, size_a: float, size_b: float, level: float
) -> pd.DataFrame:
    """Return uses, log ratio with interval, G2 and its p-values."""
    if not len(a):
        names = ["n_target", "n_rest", "log_ratio", "ci_low", "ci_high", "g2", "p_value", "p_fdr"]
        return pd.DataFrame({name: np.zeros(0) for name in names})
    share = (a + b) / (size_a + size_b)
    g2 = _log_likelihood(a, size_a, share) + _log_likelihood(b, size_b, share)
    low_a, low_b = np.maximum(a, 0.5), np.maximum(b, 0.5)
    ratio = np.log2(low_a / size_a) - np.log2(low_b / size_b)
    se = np.sqrt(1 / low_a + 1 / low_b - 1 / size_a - 1 / size_b) / np.log(2)
    half = stats.norm.ppf((1 + level) / 2) * se
    p = stats.chi2.sf(np.maximum(g2, 0), 1)
    return pd.DataFrame(
        {"n_target": a.astype(int), "n_rest": b.astype(int), "log_ratio": ratio,
         "ci_low": ratio - half, "ci_high": ratio + half, "g2": g2, "p_value": p,
         "p_fdr": multipletests(p, method="fdr_bh")[1]}
    )  # fmt: skip


def _log_likelihood(uses: np.ndarray, size: float, share: np.ndarray) -> np.ndarray:
    """Return one side's part of G2: the term and all other terms against a common share."""
    others = size - uses
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = xlogy(uses, uses / (size * share)), xlogy(others, others / (size * (1 - share)))
    return 2 * sum(np.where(n > 0, part, 0.0) for n, part in zip((uses, others), parts))


def _deviation(counts: Any, kept: np.ndarray) -> np.ndarray:
    """Return Gries' deviation of proportions over cases for the kept columns of term counts."""
    sizes = np.asarray(counts.sum(axis=1), dtype=float).reshape(-1, 1)
    own = counts[:, kept].toarray()
    return 0.5 * np.abs(own / own.sum(axis=0) - sizes / sizes.sum()).sum(axis=0)


def cooccurrence(
    documents: Sequence[Sequence[str]], *, least: int | None = None, level: float = LEVEL
) -> pd.DataFrame:
    """Find terms that stand in the same complaints more often than chance would have it.

    Parameters
    ----------
    documents, level
        As in ``keyness``.
    least : int, optional
        Cases that must hold both terms; by default the suite's ``cell_size``.

    Returns
    -------
    DataFrame
        first, second, cases (that hold both), expected, lift (cases over expected), overlap (share
        of the cases with the rarer term that hold the other), ci_low, ci_high (of the overlap,
        Wilson), g2, p_value, p_fdr; closest pairs first.
    """
    least = int(THRESHOLDS["cell_size"].value) if least is None else least
    counts, words = term_matrix(documents)
    has = (counts > 0).astype(np.int64)
    often = np.asarray(has.sum(axis=0)).ravel()
    kept = np.flatnonzero(often >= least)
    own, n = often[kept].astype(float), has.shape[0]
    both = (has[:, kept].T @ has[:, kept]).tocoo()
    pairs = (both.row < both.col) & (both.data >= least)
    i, j, k = both.row[pairs], both.col[pairs], both.data[pairs].astype(float)
    expected = own[i] * own[j] / n
    cells = np.stack([k, own[i] - k, own[j] - k, n - own[i] - own[j] + k])
    margins = np.stack([own[i] * own[j], own[i] * (n - own[j]), own[j] * (n - own[i]),
                        (n - own[i]) * (n - own[j])]) / n  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        g2 = 2 * np.where(cells > 0, xlogy(cells, cells / margins), 0).sum(axis=0)
    rarer = np.minimum(own[i], own[j])
    ends = [wilson_interval(int(x), int(m), level=level) for x, m in zip(k, rarer, strict=True)]
    p = stats.chi2.sf(np.maximum(g2, 0), 1)
    found = pd.DataFrame(
        {"first": words[kept][i], "second": words[kept][j], "cases": k.astype(int),
         "expected": expected, "lift": k / expected, "overlap": k / rarer,
         "ci_low": [e[0] for e in ends], "ci_high": [e[1] for e in ends], "g2": g2, "p_value": p,
         "p_fdr": multipletests(p, method="fdr_bh")[1] if len(p) else p}
    )  # fmt: skip
    order = np.lexsort((found["second"], found["first"], -g2 * np.sign(found["lift"] - 1)))
    return found.iloc[order].reset_index(drop=True)
