"""Split a text file into cells: each column a dictionary of its distinct texts."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import pandas as pd

from helpers.errors import DataContractError

SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""Signs that keep cells apart, with their names."""

_ROWS = 50_000
_FEW = 1_000
"""Distinct texts that are always kept in a dictionary."""
_HEADERS = 3
_CELLS = 4_000_000
_HEAD, _BLOCK = 1 << 14, 1 << 20
_BLANK = frozenset({b"\n", b"\r\n", b"\r"})


def split_rows(
    handle: BinaryIO | str,
    place: str,
    *,
    delimiter: str = ",",
    skip: Callable[[str], bool] = lambda _name: False,
) -> pd.DataFrame:
    """Return a delimited text as a table of text cells, header rows included.

    Parameters
    ----------
    handle : binary file of UTF-8 text, or str
        The text; read from where the file stands.
    place : str
        How messages name the file.
    delimiter : str
        What keeps cells apart.
    skip : function
        Tells by a name in the first row whether a column's cells are not wanted, so that names,
        places and addresses never come into memory; only its first three cells are then kept.

    Returns
    -------
    DataFrame
        Columns 0, 1, 2, ...; categorical, so that a text that stands often is stored once, or
        plain text where most cells differ. An empty cell is the empty text. Line breaks inside
        quotes are kept; lines without a single cell are passed over.

    Raises
    ------
    DataContractError
        A record has more or fewer cells than the header, a quote is never closed, or the cells are
        kept apart by another sign.

    Notes
    -----
    The file is read in parts of at most 50,000 rows and never held as text; per distinct text of
    a part one look-up is made, so that memory is about one byte a cell.
    """
    stream = io.BytesIO(handle.encode("utf-8")) if isinstance(handle, str) else handle
    start = stream.tell()
    first = _first_records(stream, delimiter, place)
    width = len(first[0])
    _refuse_other_sign(stream, start, width, delimiter, place)
    _refuse_ragged(stream, start, width, delimiter, place)
    stream.seek(start)
    wanted = [i for i, name in enumerate(first[0]) if not skip(name.strip())]
    columns = {i: _Column() for i in wanted}
    n = 0
    for part in _parts(stream, wanted, width, delimiter, place):
        n += len(part)
        for i, column in columns.items():
            column.add(part[i].to_numpy())
    heads = {i: [record[i] for record in first[:n]] for i in range(width) if i not in columns}
    whole = {i: columns[i].array() if i in columns else _head_only(heads[i], n)
             for i in range(width)}  # fmt: skip
    return pd.DataFrame(whole, copy=False)


def bare(text: str) -> str:
    """Return a cell without signs of no width at its ends.

    Marks of the byte order and blanks of no width get into exports that were joined or pasted;
    nobody sees them, and a code with one beside it would be no code.
    """
    return text if text.isascii() else text.strip(_NO_WIDTH)


_NO_WIDTH = "\ufeff\u200b\u200e\u200f\u2060\u00ad"


def _head_only(head: list[str], n: int) -> pd.Categorical:
    """Return a column whose cells below the header were not read."""
    codes = np.zeros(n, np.int8)
    codes[: len(head)] = np.arange(1, len(head) + 1)
    texts = ["", *(f"{text}" for text in head)]
    distinct = list(dict.fromkeys(texts))
    places = np.array([distinct.index(text) for text in texts], np.int8)
    kept = pd.Index(distinct, dtype="str")
    return pd.Categorical.from_codes(places[codes], categories=kept)


class _Column:
    """One column, gathered part by part: the distinct texts, and a number for each cell.

    Once most cells of a part differ, as in ids and times, the texts themselves are kept: a
    dictionary would only be larger.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.parts: list[np.ndarray] = []
        self.plain = False

    def add(self, cells: np.ndarray) -> None:
        """Add the cells of one part of the file."""
        if self.plain:
            self.parts.append(cells)
            return
        numbers = self.numbers
        codes, texts = pd.factorize(cells)
        if not self.parts and len(texts) > max(_FEW, len(cells) // 2):
            self.plain = True
            cells = np.array([*map(bare, cells[:_HEADERS]), *cells[_HEADERS:]], dtype=object)
            self.parts.append(cells)
            return
        places = np.array([numbers.setdefault(bare(t), len(numbers)) for t in texts], np.int32)
        kind = np.min_scalar_type(-len(numbers) - 1)
        self.parts.append(places.astype(kind)[codes])

    def array(self) -> pd.api.extensions.ExtensionArray:
        """Return the whole column; the parts are given up."""
        if self.plain:
            cells, self.parts = np.concatenate(self.parts), []
            return pd.array(cells, dtype="str", copy=False)
        codes = np.concatenate(self.parts) if self.parts else np.empty(0, np.int8)
        self.parts = []
        categories = pd.Index(list(self.numbers), dtype="str")
        return pd.Categorical.from_codes(codes, categories=categories, validate=False)


def _parts(
    stream: BinaryIO, wanted: list[int], width: int, delimiter: str, place: str
) -> Iterator[pd.DataFrame]:
    """Yield the table in parts, every cell as its text."""
    try:
        with pd.read_csv(
            stream, header=None, dtype=object, na_filter=False, sep=delimiter, engine="c",
            encoding="utf-8", low_memory=False, skip_blank_lines=width > 1, index_col=False,
            usecols=wanted or [0],
            chunksize=max(1, min(_ROWS, _CELLS // width)),
        ) as reader:  # fmt: skip
            yield from reader
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataContractError(
            f"read_source: file= {place} cannot be split into cells ({str(error).strip()}); every "
            "line needs as many cells as the header. Look for an unclosed quote, a stray comma, or "
            "a title above the names."
        ) from None


def _first_records(stream: BinaryIO, delimiter: str, place: str) -> list[list[str]]:
    """Return the first three records, which may be header rows."""
    start = stream.tell()
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        records = csv.reader(text, delimiter=delimiter)
        first = list(itertools.islice((cells for cells in records if cells), _HEADERS))
    except csv.Error:
        raise DataContractError(
            f"read_source: file= {place} has a header cell of more than {csv.field_size_limit():,} "
            "signs; a table with column names is needed. Look for an unclosed quote in the first "
            "line."
        ) from None
    text.detach()
    stream.seek(start)
    width = max(1, len(first[0])) if first else 1
    return [(list(map(bare, cells)) + [""] * width)[:width] for cells in first or [[]]]


def _refuse_other_sign(
    stream: BinaryIO, start: int, width: int, delimiter: str, place: str
) -> None:
    """Raise if the header was not split, because the cells are kept apart by another sign."""
    if width > 1:
        return
    stream.seek(start)
    header = stream.readline().decode("utf-8", errors="replace")
    signs = [sign for sign in SIGNS if sign in header and sign != delimiter]
    if signs:
        named = SIGNS.get(delimiter, f"'{delimiter}'")
        raise DataContractError(
            f"read_source: file= {place} keeps its cells apart by {SIGNS[signs[0]]}; {named} are "
            f"needed. Write `delimiter: {signs[0]!r}` under data in study.yml, or export again."
        )


def _refuse_ragged(stream: BinaryIO, start: int, width: int, delimiter: str, place: str) -> None:
    """Raise if a record has more or fewer cells than the header; bytes are counted first."""
    stream.seek(start)
    if _all_as_wide(stream, width, delimiter):
        return
    stream.seek(start)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    records = csv.reader(text, delimiter=delimiter)
    odd, last = None, 0
    try:
        for last, cells in enumerate(records, start=1):
            if cells and len(cells) != width:
                odd = (last, len(cells), records.line_num)
                break
        at_end = odd is not None and next(records, None) is None
    except csv.Error as error:
        raise _unsplit(place, f"record {last + 1}: {error}") from None
    text.detach()
    if odd is None:
        return
    record, found, line = odd
    if found > width:
        raise _unsplit(
            place, f"record {record}, line {line}: {found} cells, the header has {width}"
        )
    where = "The file seems to be cut off" if at_end else "A cell or a line break is missing there"
    raise DataContractError(
        f"read_source: file= {place} has {found} cells in record {record} (line {line}); the "
        f"header has {width}. {where}: export it again."
    )


def _unsplit(place: str, found: str) -> DataContractError:
    return DataContractError(
        f"read_source: file= {place} cannot be split into cells ({found}); every line needs as "
        "many cells as the header. Look for an unclosed quote, a stray comma, or a title above "
        "the names."
    )


def _all_as_wide(stream: BinaryIO, width: int, delimiter: str) -> bool:
    """Tell whether every line has the same number of signs outside of quotes.

    False may also come of a lone quote within a cell; then the records are looked at one by one.
    Lines without quotes, nearly all of a file, are compared with a row of signs all at once.
    """
    sign, inside, count, size = delimiter.encode("utf-8"), 0, 0, _HEAD
    others, row = bytes(set(range(256)) - set(sign + b"\n")), sign * (width - 1) + b"\n"
    while block := stream.read(size) + stream.readline():
        size = _BLOCK
        if not inside and _without_quotes(block):
            signs = block.translate(None, others)
            if signs == row * signs.count(b"\n"):
                continue
        for line in block.splitlines(keepends=True):
            if inside or b'"' in line:
                parts = line.split(b'"')
                count += sum(part.count(sign) for part in parts[inside::2])
                inside = (inside + len(parts) - 1) & 1
                if inside:
                    continue
            else:
                count = line.count(sign)
            if count != width - 1 and line not in _BLANK:
                return False
            count = 0
    return not inside


def _without_quotes(block: bytes) -> bool:
    """Tell whether a block is whole lines that end alike, without a quote."""
    alike = block.count(b"\r") == block.count(b"\r\n")
    return b'"' not in block and alike and block.endswith(b"\n")
