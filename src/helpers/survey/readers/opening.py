"""Open a file safely: what it is by its first bytes, unpacked within bounds, as UTF-8 text."""

from __future__ import annotations

import codecs
import gzip
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Literal

from helpers.errors import DataContractError, listing

Kind = Literal["text", "workbook", "spss", "stata"]

BLOCK = 1 << 20
MOST_UNPACKED = 8 << 30
"""Bytes beyond which a packed file is not unpacked."""
BOMB_RATIO, BOMB_FLOOR = 200, 64 << 20
"""A file that grows by more than the ratio, and beyond the floor, is no survey export."""

_TABLES = (".csv", ".tsv", ".txt", ".tab")
_OLE = b"\xd0\xcf\x11\xe0"
_OTHER = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"RDX": "an R data file",
    b"SQLi": "a database",
    b"HEADER RECORD***": "a SAS transport file",
    b"{\\rt": "an RTF document",
}


def regular_file(path: Path, place: str) -> None:
    """Raise unless a path leads to an ordinary, non-empty file that can be read."""
    try:
        status = path.stat()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            found = "does not exist"
        elif path.is_symlink():
            found = "is a link that leads nowhere"
        else:
            found = f"cannot be opened ({error.strerror})"
        raise _refusal(place, found, "Name the export file itself.") from None
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(place, "is a folder", "Name the export file within it.")
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(place, "is no ordinary file", "Copy the export to a file on disk.")
    if not os.access(path, os.R_OK):
        raise _refusal(place, "may not be read", "Change the file's permissions.")
    if status.st_size == 0:
        raise DataContractError(
            f"read_source: file= {place} is empty (0 bytes); an export with a header and at least "
            "one respondent is needed. Export it again."
        )


def kind_of(path: Path, place: str) -> Kind:
    """Return what a file is by its first bytes, whatever its name ends in.

    Raises
    ------
    DataContractError
        A folder, a link that leads nowhere, a protected workbook, an archive of several files, or
        a format that no reader knows.
    """
    regular_file(path, place)
    with path.open("rb") as handle:
        head = handle.read(512)
    if head[:4] in (b"$FL2", b"$FL3"):
        return "spss"
    if head[:11] == b"<stata_dta>" or (head[0] in range(0x6E, 0x74) and head[1:4] in _OLD_STATA):
        return "stata"
    if head[:4] == _OLE:
        _refuse_protected(path, place)
        return "workbook"
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return _kind_of_zip(path, place)
    _refuse_foreign(head, place)
    return "text"


_OLD_STATA = (b"\x01\x01\x00", b"\x02\x01\x00")


def _refuse_foreign(head: bytes, place: str) -> None:
    """Raise for formats that are known, but are no table."""
    for start, name in _OTHER.items():
        if head.startswith(start):
            raise _refusal(place, f"is {name}", "Export the answers as CSV, XLSX or SAV.")
    low = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if low.startswith((b"<!doctype html", b"<html", b"<table")):
        raise _refusal(
            place, "is an HTML page",
            "Open it in a spreadsheet program and save it as XLSX, or export again: a page in "
            "place of the file often means that the login had expired.",
        )  # fmt: skip
    if low.startswith(b"<?xml"):
        raise _refusal(place, "is an XML document", "Export the answers as CSV or XLSX.")
    if low.startswith((b"{", b"[")) and b'"' in low[:80]:
        raise _refusal(place, "is a JSON document", "Export the answers as CSV or XLSX.")


def _refuse_protected(path: Path, place: str) -> None:
    """Raise for an OLE container that holds an encrypted package."""
    with path.open("rb") as handle:
        if "EncryptedPackage".encode("utf-16-le") in handle.read(MOST_DIRECTORY):
            raise protected(place)


MOST_DIRECTORY = 4 << 20
"""How far into an OLE file its directory of streams is looked for."""


def protected(place: str) -> DataContractError:
    """Return the error for a workbook behind a password."""
    return _refusal(
        place, "is a workbook protected by a password",
        "Open it in a spreadsheet program, remove the password, and save it.",
    )  # fmt: skip


def _kind_of_zip(path: Path, place: str) -> Kind:
    """Return what a zip file is: a workbook, or one packed table."""
    names = [m.filename for m in _members(path, place)]
    if "[Content_Types].xml" in names:
        if any(n.startswith("xl/") for n in names):
            return "workbook"
        raise _refusal(place, "is an office document without sheets", "Export as CSV or XLSX.")
    if any(n.startswith("Index/") or n.endswith(".numbers") for n in names):
        raise _refusal(place, "is an Apple Numbers file", "Save it as CSV or XLSX.")
    if "content.xml" in names:
        return "workbook"
    _one_table(path, place)
    return "text"


def _members(path: Path, place: str) -> list[zipfile.ZipInfo]:
    """Return what a zip file holds, after checking the declared sizes; nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _refusal(
            place, "cannot be unpacked: it was cut off or damaged", "Fetch it again."
        ) from None
    declared, packed = sum(m.file_size for m in members), path.stat().st_size
    if declared > MOST_UNPACKED or (declared > BOMB_FLOOR and declared > BOMB_RATIO * packed):
        raise _bomb(place, declared, packed)
    return members


def _bomb(place: str, declared: int, packed: int) -> DataContractError:
    return _refusal(
        place, f"would grow from {packed:,} to {declared:,} bytes or more when unpacked",
        "No survey export does; it was not unpacked. Export the answers again.",
    )  # fmt: skip


def _one_table(path: Path, place: str) -> str:
    """Return the name of the only table in a zip file."""
    named = [m for m in _members(path, place) if not m.filename.startswith("__MACOSX")]
    tables = [m for m in named if m.filename.lower().endswith(_TABLES)]
    if len(tables) != 1 or len(named) != 1:
        held = listing([m.filename for m in named], most=5) or "nothing"
        raise _refusal(
            place, f"is an archive that holds {held}", "Unpack it and name the file that is meant."
        )
    if tables[0].flag_bits & 1:
        raise _refusal(place, "is an archive protected by a password", "Unpack it first.")
    return tables[0].filename


@contextmanager
def raw_text(path: Path, place: str) -> Iterator[IO[bytes]]:
    """Open the bytes of a text file, unpacked if it is packed by gzip or zip."""
    with path.open("rb") as handle:
        head = handle.read(4)
    if head[:2] == b"\x1f\x8b":
        with gzip.open(path, "rb") as packed:
            yield packed
    elif head[:2] == b"PK":
        name = _one_table(path, place)
        with zipfile.ZipFile(path) as archive, archive.open(name) as packed:
            yield packed
    else:
        with path.open("rb") as plain:
            yield plain


def blocks(path: Path, place: str) -> Iterator[bytes]:
    """Yield a text file's bytes, unpacked, block by block and within bounds."""
    packed, grown = path.stat().st_size, 0
    try:
        with raw_text(path, place) as handle:
            while block := handle.read(BLOCK):
                grown += len(block)
                if grown > BOMB_FLOOR and grown > BOMB_RATIO * packed:
                    raise _bomb(place, grown, packed)
                yield block
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError):
        raise DataContractError(
            f"read_source: file= {place} cannot be unpacked; a whole gzip file is needed. It was "
            "cut off or damaged: fetch it again."
        ) from None


def utf8_text(path: Path, encoding: str, place: str) -> BinaryIO:
    """Return a text file as a stream of UTF-8 without a mark, every byte checked.

    A plain UTF-8 file is handed on as it lies; others are unpacked and rewritten into a temporary
    file, so that memory does not grow with the file.
    """
    name = canonical_encoding(encoding, place)
    with path.open("rb") as handle:
        head = handle.read(4)
    as_it_lies = name == "utf-8-sig" and head[:2] not in (b"\x1f\x8b", b"PK")
    spool = None if as_it_lies else tempfile.SpooledTemporaryFile(max_size=BLOCK * 64)  # noqa: SIM115
    decoder, seen, wide, empty = codecs.getincrementaldecoder(name)(), 0, False, True
    for block in blocks(path, place):
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            kept = len(error.object) - len(block)  # bytes carried over from the block before
            at = seen - kept + error.start
            raise _not_encoded(path, encoding, place, at, wide) from None
        if "\x00" in text:
            raise _nul(place)
        wide, empty, seen = (
            wide or not text.isascii(),
            empty and not text.strip(),
            seen + len(block),
        )
        if spool is not None:
            spool.write(text.encode("utf-8"))
    _finish(decoder, path, encoding, place, seen, wide)
    if empty:
        raise DataContractError(
            f"read_source: file= {place} holds no text; an export with a header and at least one "
            "respondent is needed. Export it again."
        )
    if spool is None:
        out: BinaryIO = path.open("rb")
        out.seek(3 if head.startswith(codecs.BOM_UTF8) else 0)
        return out
    spool.seek(0)
    return spool  # type: ignore[return-value]


def canonical_encoding(encoding: str, place: str) -> str:
    """Return the codec for a declared encoding; UTF-8 may carry a mark."""
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return "utf-8-sig"
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise DataContractError(
            f"read_source: encoding= '{encoding}' of {place} is not a known encoding; usual ones "
            "are utf-8, gb18030, utf-16. Correct the key encoding in study.yml."
        ) from None


def _finish(
    decoder: codecs.IncrementalDecoder, path: Path, encoding: str, place: str, seen: int, wide: bool
) -> None:
    """Raise if the text ends within a character."""
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        at = seen - (len(error.object) - error.start)
        raise _not_encoded(path, encoding, place, at, wide) from None


def _nul(place: str) -> DataContractError:
    return DataContractError(
        f"read_source: file= {place} holds NUL bytes; a CSV text file is needed. It is damaged "
        "or in another encoding (UTF-16?): export it again as CSV."
    )


def _not_encoded(path: Path, encoding: str, place: str, at: int, wide: bool) -> DataContractError:
    """Return the error for a byte that is not in the declared encoding."""
    before = b"".join(blocks(path, place))[: max(at, 0)] if at < BLOCK * 64 else b""
    wide = wide or not before.isascii()
    line = before.count(b"\n") + 1
    advice = (
        "The text before it is: two exports in different encodings may have been joined. Export "
        "once more, in one encoding."
        if wide
        else "Files from Chinese Windows are often gb18030: correct the key encoding in study.yml."
    )
    return DataContractError(
        f"read_source: file= {place} is not {encoding} at byte {max(at, 0)} (line {line}); "
        f"study.yml declares that encoding. {advice}"
    )


def _refusal(place: str, found: str, advice: str) -> DataContractError:
    """Return the error for a file that is no export."""
    return DataContractError(
        f"read_source: file= {place} {found}; a file exported from a survey platform is needed "
        f"(CSV, XLSX, XLS, SAV or DTA). {advice}"
    )
