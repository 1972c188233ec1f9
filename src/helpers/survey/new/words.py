"""Words of answer scales and of typical questions, in English and Chinese."""

from __future__ import annotations

import re

from helpers.survey.readers.answers import plain

_HAN = re.compile("[\u4e00-\u9fff]")
_KANA_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")


def language_of(text: str) -> str:
    """Return ``zh`` for Chinese, an empty text where there are no letters, else ``en``.

    Other languages stand under ``en``, which is what is shown where a language is missing.
    """
    if _HAN.search(text) and not _KANA_HANGUL.search(text):
        return "zh"
    return "en" if any(sign.isalpha() for sign in text) else ""


_CONCEPTS = (
    (r"agree|true of me|applies", r"disagree|not true|untrue"),
    (r"satisfied|content", r"dissatisfied|unsatisfied|not (?:at all )?satisfied"),
    (r"likely|probable|probably", r"unlikely|improbable|probably not|not (?:at all )?likely"),
    (r"同意|赞同|赞成", r"不(?:太|大|怎么|是很)?(?:同意|赞同|赞成)|反对"),
    (r"满意", r"不(?:太|大|怎么|是很)?满意"),
    (r"符合", r"不(?:太|大|怎么|是很)?符合"),
    (r"(?:有)?可能", r"不(?:太|大|怎么)?可能"),
    (r"愿意", r"不(?:太|大|怎么)?愿意"),
)
"""Words for the upper and the lower half of a scale."""

_STRONG = re.compile(
    r"strongly|very|extremely|completely|totally|definitely|非常|十分|极其|极|完全|很|强烈"
)
_WEAK = re.compile(
    r"somewhat|slightly|rather|a little|a bit|mildly|有点|有些|稍微|略|较为|不太|不大|不怎么"
)
_MIDDLE = re.compile(
    r"^(neither\b.*|neutral|undecided|no opinion|not sure"
    r"|一般|中立|不确定|无所谓|说不清|既不.*也不.*|普通|中等)$"
)

ORDERED = (
    ("never", "rarely", "sometimes", "often", "always"),
    ("从不", "很少", "有时", "经常", "总是"),
    ("从不", "偶尔", "有时", "经常", "总是"),
    ("very poor", "poor", "fair", "good", "excellent"),
    ("very bad", "bad", "neither", "good", "very good"),
    ("很差", "差", "一般", "好", "很好"),
    ("非常差", "差", "一般", "好", "非常好"),
    ("very low", "low", "medium", "high", "very high"),
    ("很低", "较低", "中等", "较高", "很高"),
    ("not at all", "slightly", "moderately", "very", "extremely"),
    ("not at all", "a little", "somewhat", "quite a bit", "very much"),
    ("much lower", "lower", "unchanged", "higher", "much higher"),
    ("much worse", "worse", "same", "better", "much better"),
    ("not at all important", "slightly important", "moderately important", "very important",
     "extremely important"),
    ("很不重要", "不重要", "一般", "重要", "很重要"),
)  # fmt: skip
"""Whole scales whose order follows from no rule."""

OTHER_TEXT = re.compile(
    r"_TEXT$|\[other\]$|_other$|_oth$|\bother \(please \w+\)$| - (other|text)$", re.IGNORECASE
)
"""How platforms name the column of what is written beside a choice."""

DEMOGRAPHIC = {
    "gender": r"\bgender\b|\bsex\b|性别",
    "age": r"\bage\b|\bageyr\b|how old|birth|年龄|岁|出生",
    "education": r"\beduc\w*|\bdegree\b|\bdiploma\b|学历|教育程度|文化程度",
    "income": r"\bincome\b|\bearn|收入|月薪",
    "occupation": r"\boccupation\b|\bprofession\b|\bjob\b|职业|工作单位",
    "place": r"\b(city|region|country|province|residen\w*|faculty)\b|城市|地区|省份",
    "household": r"\bmarital\b|\bnphh\b|\bhousehold\b|\bchildren\b|婚姻|家庭",
}
"""What outsiders may know of a respondent -> how such questions are named or worded."""

GROUPING = re.compile(
    r"(?:^|_|\b)(group|condition|treatment|arm|segment|servicetype|sample_type|industry)\b|组别|实验组",
    re.IGNORECASE,
)
CONSENT = re.compile(
    r"\bconsent\b|agree to (?:take part|participate)|willing to participate"
    r"|知情同意|同意参[加与]|自愿参[加与]",
    re.IGNORECASE,
)
SCREENER = re.compile(
    r"(?:in|within|during|over) the (?:last|past) .*(?:months?|weeks?|year)"
    r"|(?:最近|过去).{0,8}(?:月|周|年).*(?:是否|有没有|吗)",
    re.IGNORECASE,
)
ATTENTION = re.compile(
    r"please (?:choose|select|tick|mark|click)"
    r"|(?:choose|select|tick) .{0,40}(?:here|this (?:item|row|statement))"
    r"|(?:此题|本题|这题|该题).{0,8}选|请选(?!择符合|择最)[“\"'‘]?",
    re.IGNORECASE,
)
YES = re.compile(r"^(yes\b|i agree|agree\b|i consent|是|同意|我同意|愿意|有)", re.IGNORECASE)
NEGATED = re.compile(
    r"\b(not|never|no longer|hardly|dis\w+|un\w+able|fail\w*|too late|too long)\b"
    r"|不|没有|未|太久|太晚",
    re.IGNORECASE,
)


def rank(label: str) -> float | None:
    """Return how high a label stands on its scale, around 0; None if it is no such label."""
    text = plain(label)
    text = re.sub(r"^\d+\s*[-=.:、]\s*", "", text)
    if _MIDDLE.match(text):
        return 0.0
    for upper, lower in _CONCEPTS:
        if re.search(lower, text):
            return -_strength(text)
        if re.search(upper, text):
            return _strength(text)
    return None


def _strength(text: str) -> float:
    """Return 1 to 3 for weak, plain and strong wording; 比较 lies between weak and plain."""
    if _WEAK.search(text):
        return 1.0
    if "比较" in text or "moderately" in text:
        return 1.5
    return 3.0 if _STRONG.search(text) else 2.0


def ordered_labels(labels: list[str]) -> list[str | None] | None:
    """Return a whole scale, lowest first, that holds all labels; None for one nobody chose.

    Agreement, satisfaction, likelihood and fit are put in order by their wording, and completed so
    that the two halves have equally many steps; other known scales are looked up.
    """
    known = _listed(labels)
    if known is not None:
        return known
    ranks = {label: rank(label) for label in labels}
    if len(labels) < 2 or any(r is None for r in ranks.values()):
        return None
    if len(set(ranks.values())) < len(labels):
        return None
    by_rank = {r: label for label, r in ranks.items()}
    sizes = sorted({abs(r) for r in by_rank if r})
    middle = [0.0] if 0.0 in by_rank else []
    steps = [-s for s in reversed(sizes)] + middle + sizes
    return [by_rank.get(step) for step in steps]


def _listed(labels: list[str]) -> list[str | None] | None:
    """Return the listed scale that holds all labels, as the file writes them."""
    written = {plain(label): label for label in labels}
    for scale in ORDERED:
        if len(written) >= 2 and set(written) <= set(scale):
            return [written.get(word) for word in scale]
    return None


def demographic(name: str, wording: str) -> str:
    """Return what of a person a question is about, or an empty text."""
    text = f"{name.replace('_', ' ')} {wording}"
    return next((k for k, p in DEMOGRAPHIC.items() if re.search(p, text, re.IGNORECASE)), "")
