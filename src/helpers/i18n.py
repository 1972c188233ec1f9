"""Texts in two languages: gettext catalogues, English as the source.

Each room keeps its own catalogue, ``locale/zh/<room>.po``; together they form one domain. Code
marks a text with ``_()``; the language is a context variable, so two threads can differ. The prose
of each notebook has a catalogue of its own, ``locale/zh/notebooks/<NN>.po``, keyed by the exact
source of the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from helpers.errors import ReportError, listing

LANGUAGES = ("en", "zh")
LOCALE_FOLDER = Path(__file__).parent / "locale"

_current: ContextVar[str] = ContextVar("language", default="en")


_asked = 0
"""How often the language was asked for: a value computed while this grew depends on it."""


def language() -> str:
    """Return the language in force, ``"en"`` or ``"zh"``."""
    global _asked
    _asked += 1
    return _current.get()


def current() -> str:
    """Return the language in force, for who only files by it what was made: not counted."""
    return _current.get()


@contextmanager
def listening() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether the language was asked for since the block began."""
    before = _asked
    yield lambda: _asked != before


def set_language(code: str) -> None:
    """Set the language of labels, captions and sentences that code makes."""
    if code not in LANGUAGES:
        raise ReportError(
            f"language= is '{code}'; allowed are {listing(LANGUAGES)}. Choose one of them."
        )
    _current.set(code)


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Use another language inside a ``with`` block."""
    before = current()
    set_language(code)
    try:
        yield
    finally:
        _current.set(before)


@cache
def catalogue(code: str) -> dict[str, str]:
    """Return every translated text of a language, all rooms together."""
    texts: dict[str, str] = {}
    for path in sorted((LOCALE_FOLDER / code).glob("*.po")):
        texts |= _read(path, code)
    return texts


@cache
def prose_catalogue(code: str, number: str) -> dict[str, str]:
    """Return the translated cells of one notebook, by their English source."""
    path = LOCALE_FOLDER / code / "notebooks" / f"{number}.po"
    return _read(path, code) if path.is_file() else {}


def _read(path: Path, code: str) -> dict[str, str]:
    """Return what one catalogue holds, without what its translator marked as doubtful."""
    from babel.messages.pofile import read_po

    with path.open("rb") as handle:
        found = [m for m in read_po(handle, locale=code) if m.id and m.string and not m.fuzzy]
    return {str(message.id): str(message.string) for message in found}


def _(text: str) -> str:
    """Return the text in the current language, or the English text if none is stored."""
    code = language()
    return text if code == "en" else catalogue(code).get(text, text)


def prose(source: str, *, number: str) -> str:
    """Return a notebook's markdown cell in the current language.

    Parameters
    ----------
    source : str
        The cell's exact source, in English.
    number : str
        First two digits of the notebook's name.
    """
    code = language()
    return source if code == "en" else prose_catalogue(code, number).get(source, source)


def pick(texts: Mapping[str, str] | str) -> str:
    """Return the entry of ``{"en": ..., "zh": ...}`` in the current language, else the other."""
    if isinstance(texts, str):
        return texts
    return texts.get(language()) or texts["en"] or texts.get("zh", "")
