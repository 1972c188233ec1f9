"""Find English that a Chinese page still shows: words that are no name, code, formula or source."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bs4 import BeautifulSoup, Comment

KEPT = frozenset({
    "alpha", "beta", "delta", "kappa", "lambda", "omega", "phi", "theta",
    "chi-bar-square", "logit", "lasso", "probit", "polychoric", "mode",
    "minres", "oblimin", "varimax", "promax",
    "et", "al", "der", "van", "von", "den", "utf",
    "semopy", "lavaan", "seminr", "papermill", "helpers",
})  # fmt: skip
"""Words that Chinese texts of the field write in Latin letters, particles, names of programs."""

_SIGN = r"A-Za-z0-9_À-ɏ.=/@‘'’\-"
_WORD = re.compile(rf"(?<![{_SIGN}])[a-zà-ɏ]+(?:-[a-zà-ɏ]+)*(?:(?![{_SIGN}(])|(?=\.(?:\s|$)))")
_APART = re.compile(
    r"`[^`]*`|“[^”一-鿿]*”|https?://\S+|doi:\S+|\S+@\S+"
    r"|[A-Za-z0-9_./-]+\.(?:yml|csv|json|html|svg|py)\b"
    r"|[A-Za-z]\w* = [A-Za-z0-9_*+() ]+|报错中止（[^一-鿿]*）|(?<=\w) and (?=[A-Z])",
)
_UNREAD = ("script", "style", "code", "pre", "math", "footer", "title")


def english_words(text: str, *, sources: Iterable[str] = ()) -> list[str]:
    """Return the English words of a text that are left when names and codes are taken out."""
    for source in sources:
        text = text.replace(source, " ")
    found = _WORD.findall(_APART.sub(" ", text))
    return [word for word in found if len(word) > 2 and word not in KEPT]


def english_left(page: str, *, sources: Iterable[str] = ()) -> list[str]:
    """Return the texts of a page, alternative texts included, that hold English words."""
    soup = BeautifulSoup(page, "html.parser")
    for part in soup.select(".references"):
        part.decompose()
    shown = [
        str(text)
        for text in soup.body.find_all(string=True)
        if not isinstance(text, Comment) and not any(p.name in _UNREAD for p in text.parents)
    ]
    shown += [image.get("alt", "") for image in soup.find_all("img")]
    return [text.strip() for text in shown if english_words(text, sources=sources)]


def english_drawn(svg: str) -> list[str]:
    """Return the texts of a drawing (matplotlib leaves them in comments) that hold English."""
    texts = re.findall(r"<!-- (.*?) -->", svg)
    return [text for text in texts if english_words(text)]
