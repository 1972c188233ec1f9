"""Set a Chinese text as Chinese print does: full-width signs, no blank behind them.

Texts are put together from pieces: a label of a study, a number, a joining sign. Where a piece is
Chinese, the signs around it are Chinese, too (GB/T 15834-2011); English texts stay as they are.
"""

from __future__ import annotations

import re

from helpers.i18n import language

_HAN = "一-鿿㐀-䶿"
_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_SIGN = re.compile(
    rf"(?<=[{_HAN}）”》])([,;:?!])(?:\s+|(?=[{_HAN}“（]|$))|([,;:?!])\s+(?=[{_HAN}“（])"
)
_STOP = re.compile(rf"(?<=[{_HAN}）”])\.(?=\s|$)")
_NUMBERED = re.compile(rf"(= ?[−\d.,]*\d)\.(?=\s+[{_HAN}“])")
_BRACKETS = re.compile(r"(\s*)\(([^()]*)\)")
_BLANK = re.compile(r"(?<=[。；：，、！？）”]) +(?=\S)| +(?=[（“，。；：、）])")
_ANY_HAN = re.compile(rf"[{_HAN}]")


def typeset(text: str) -> str:
    """Return a text with the signs that belong to its language.

    In Chinese, a comma, semicolon, colon, full stop or bracket that touches a Chinese character
    becomes the full-width one, and blanks beside full-width signs go. Signs between Latin letters
    and numbers (``p = .012, d = 0.4``; ``Hu & Bentler (1999)``) stay. Applying it again changes
    nothing.

    Examples
    --------
    >>> from helpers.i18n import in_language
    >>> with in_language("zh"):
    ...     typeset("年龄 (岁), 性别: 男。 N = 942, p < .001")
    '年龄（岁），性别：男。N = 942, p < .001'
    """
    if language() == "en" or not _ANY_HAN.search(text):
        return text
    before = ""
    while before != text:
        before, text = text, _BRACKETS.sub(_bracketed, text)
    text = _SIGN.sub(lambda found: _WIDE[found[1] or found[2]], text)
    text = _NUMBERED.sub(r"\1。", _STOP.sub("。", text))
    return _BLANK.sub("", text)


def _bracketed(found: re.Match[str]) -> str:
    """Return a bracket in full width if it holds Chinese or stands behind it."""
    behind = found.string[found.start() - 1 : found.start()]
    if _ANY_HAN.search(found[2]) or (behind and _ANY_HAN.match(behind)):
        return f"（{found[2]}）"
    return found[0]
