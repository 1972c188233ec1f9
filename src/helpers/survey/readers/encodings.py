"""Find out in which encoding a text file is written, and say how sure that is."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.survey.readers.opening import blocks

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SAMPLE = 1 << 21
_WESTERN = ("cp1252", "latin-1", "mac_roman")
_CHINESE, _KOREAN = "gb18030", "euc_kr"
_MANY = 0.9
_NUL_SHARE, _FAR_MORE = 0.02, 5


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, why it is taken, and which others the bytes allow."""

    name: str
    because: str
    sure: bool = True
    others: tuple[str, ...] = ()


def guess_encoding(path: Path, place: str) -> Encoding:
    """Return the encoding of a text file.

    A mark decides; else UTF-16 by its NUL bytes; else UTF-8 if every byte fits; else GB18030 if
    the bytes are pairs as simplified Chinese has them; else what charset-normalizer finds, which is
    a guess and says so.

    Raises
    ------
    DataContractError
        Parts of the file are UTF-8 and parts are not.
    """
    head = next(blocks(path, place), b"")
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, _("the file begins with the mark of this encoding"))
    wide = _utf16(head)
    if wide:
        return Encoding(wide, _("every second byte is zero, as in this encoding"))
    if _fits(blocks(path, place), "utf-8"):
        plain = _ascii(blocks(path, place))
        why = (
            _("the file holds plain English letters only; every encoding reads them alike")
            if plain
            else _("every byte fits, which text in another encoding hardly ever does")
        )
        return Encoding("utf-8", why)
    _refuse_mixed(path, place)
    return _other(path, place)


def _utf16(head: bytes) -> str:
    """Return the byte order of UTF-16 without a mark, or an empty text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < _NUL_SHARE * len(head) or _FAR_MORE * min(even, odd) > max(even, odd):
        return ""
    name = "utf-16-le" if odd > even else "utf-16-be"
    text = head[: len(head) // 2 * 2].decode(name, errors="ignore")
    return "" if "\x00" in text else name


def _fits(content: Iterable[bytes], encoding: str) -> bool:
    """Tell whether all bytes are text in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in content:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _ascii(content: Iterable[bytes]) -> bool:
    return all(block.isascii() for block in content)


def _refuse_mixed(path: Path, place: str) -> None:
    """Raise if some lines are UTF-8 beyond doubt while others are not UTF-8 at all."""
    utf8, other = 0, 0
    for number, line in enumerate(_lines(path, place), start=1):
        if line.isascii():
            continue
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            if utf8 and not other and error.reason == "unexpected end of data":
                raise DataContractError(
                    f"read_source: file= {place} ends within a character (line {number}); whole "
                    "UTF-8 text is needed. The file was cut off: export it again."
                ) from None
            other = other or number
        else:
            long = any(ord(sign) > _TWO_BYTES for sign in text)
            utf8 = utf8 or (number if long else 0)
        if utf8 and other:
            raise DataContractError(
                f"read_source: file= {place} mixes encodings: line {utf8} is UTF-8, line {other} "
                "is not; one encoding is needed. Two exports may be joined: export once more."
            )


_TWO_BYTES = 0x7FF
"""Signs beyond it take three bytes of UTF-8, which no other encoding's text fits by chance."""


def _lines(path: Path, place: str) -> Iterable[bytes]:
    """Yield the lines of a file."""
    rest = b""
    for block in blocks(path, place):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    yield rest


def _other(path: Path, place: str) -> Encoding:
    """Return the encoding of text that is not UTF-8."""
    sample = b""
    for block in blocks(path, place):
        sample += block
        if len(sample) >= _SAMPLE:
            break
    lead = [b for b in sample if b >= 0x80]
    if _fits(blocks(path, place), _CHINESE) and _simplified(sample) >= _MANY:
        why = _("the bytes are pairs as simplified Chinese has them")
        if _fits(blocks(path, place), _KOREAN) and _hangul(sample) >= _MANY:
            why = _("the bytes are pairs that are Korean syllables or rare Chinese signs")
            return Encoding(_KOREAN, why, False, (_CHINESE,))
        return Encoding(_CHINESE, why, True, ("big5",))
    from charset_normalizer import from_bytes

    allowed = [_CHINESE, "big5", "cp1252", "cp1250", "cp1251", "shift_jis", "euc_kr", "euc_jp"]
    found = [m.encoding for m in from_bytes(sample, cp_isolation=allowed)]
    if _western(sample):
        found.insert(0, _WESTERN[0])
    fitting = [name for name in dict.fromkeys([*found, *_WESTERN])
               if _fits(blocks(path, place), name)]  # fmt: skip
    why = _(
        "{n} bytes are not UTF-8, and several encodings could hold them; look at letters with "
        "accents, or at the Chinese texts"
    ).format(n=len(lead))
    return Encoding(fitting[0], why, False, tuple(fitting[1:4]))


def _western(sample: bytes) -> bool:
    """Tell whether the bytes are usual letters of western Europe in its Windows encoding."""
    text = sample.decode(_WESTERN[0], errors="replace")
    return all(sign.isascii() or sign in _LETTERS for sign in text)


_LETTERS = frozenset(
    "àâäáãåæçéèêëíìîïñóòôöõøœúùûüýÿßÀÂÄÁÃÅÆÇÉÈÊËÍÎÏÑÓÔÖÕØŒÚÙÛÜ€’‘“”–—…«»°§¿¡ºª\xa0"
)


def _hangul(sample: bytes) -> float:
    """Return the share of two-byte signs that would be Korean syllables."""
    leads = [a for a, b in _pairs(sample)]
    return sum(0xB0 <= a <= 0xC8 for a in leads) / len(leads) if leads else 0.0


def _simplified(sample: bytes) -> float:
    """Return the share of two-byte signs that lie where GB 2312 has its punctuation and Chinese."""
    pairs = _pairs(sample)
    common = sum(0xA1 <= a <= 0xF7 and b >= 0xA1 for a, b in pairs)
    return common / len(pairs) if pairs else 0.0


def _pairs(sample: bytes) -> list[tuple[int, int]]:
    """Return the two-byte signs of a text in an encoding of that kind."""
    pairs, i = [], 0
    while i < len(sample) - 1:
        if sample[i] >= 0x80:
            pairs.append((sample[i], sample[i + 1]))
            i += 1
        i += 1
    return pairs
