"""Who could be recognised: k-anonymity over quasi-identifiers, and codes in place of keys.

Small cells of tables are guarded in ``small_cells``; the shareable copy is made in ``export``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.errors import DataContractError, ReportError, listing, nearest
from helpers.i18n import _
from helpers.survey.load import Study
from helpers.thresholds import THRESHOLDS

SALT_FILE = Path("derived") / "salt.key"
"""Where a study keeps its salt, in its folder; git ignores it, and no export holds it."""

CODE_LENGTH = 16
"""Hexadecimal digits of a salted code: 64 bits, so that among a million keys two share a code
with a chance of about 3 in 100 million."""

_SALT_BYTES = 32
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Anonymity:
    """How well respondents hide among those who look alike.

    Attributes
    ----------
    columns : tuple of str
        The quasi-identifiers, taken together.
    k : int
        The size that every cell should have at least.
    n_used : int
        Respondents counted, those with blanks included.
    smallest : int
        Size of the smallest cell: the k that the table reaches; 0 without respondents.
    n_unique, n_below : int
        Respondents alone in their cell; respondents in cells smaller than ``k``.
    cells : DataFrame
        One row a cell that occurs: the columns, ``n``, and ``distinct_<column>`` for each
        sensitive column; smallest cells first.
    diversity : Mapping[str, int]
        Sensitive column -> fewest distinct values in a cell (l-diversity).
    """

    columns: tuple[str, ...]
    k: int
    n_used: int
    smallest: int
    n_unique: int
    n_below: int
    cells: pd.DataFrame
    diversity: Mapping[str, int]

    @property
    def share_below(self) -> float:
        """Return the share of respondents in cells smaller than ``k``."""
        return self.n_below / self.n_used if self.n_used else 0.0

    @property
    def reached(self) -> bool:
        """Tell whether every cell has at least ``k`` respondents."""
        return self.n_below == 0

    def text(self) -> str:
        """Return one sentence in the current language."""
        if not self.columns:
            return _(
                "The study declares no quasi-identifiers, so nobody can be singled out by them."
            )
        return _(
            "Over {columns}, the smallest cell holds {smallest} respondents; {unique} are alone in "
            "theirs, and {below} of {n} ({share:.1%}) stand in cells of fewer than {k}."
        ).format(
            columns=_(", ").join(self.columns), smallest=self.smallest, unique=self.n_unique,
            below=self.n_below, n=self.n_used, share=self.share_below, k=self.k,
        )  # fmt: skip


def k_anonymity(
    data: pd.DataFrame | Study,
    columns: Sequence[str] | None = None,
    *,
    k: int | None = None,
    sensitive: Sequence[str] = (),
) -> Anonymity:
    """Count how many respondents share each combination of quasi-identifiers.

    A table is k-anonymous if every combination that occurs belongs to at least ``k`` respondents.

    Parameters
    ----------
    data : DataFrame or Study
        One row a respondent; or an opened study, whose cleaned responses are taken.
    columns : sequence of str, optional
        Quasi-identifiers: what somebody outside may know of a respondent. Needed for a table;
        for a study those of ``quasi_identifiers``.
    k : int, optional
        Size that every cell should have; the study's own, else ``THRESHOLDS["cell_size"]``.
    sensitive : sequence of str
        Columns whose values should differ within a cell: if all share one, belonging to the cell
        gives it away, whatever its size (l-diversity).

    Returns
    -------
    Anonymity

    Raises
    ------
    DataContractError
        Unknown or no columns, or ``k`` below 1.

    Notes
    -----
    A blank is a value of its own here: it hides nobody. (To count it as "could be anything" would
    make the cells larger, and the answer too good.)
    Checked against the 2-anonymous table of Sweeney (2002, figure 2), and by hand.

    References
    ----------
    Sweeney (2002), doi:10.1142/S0218488502001648. Machanavajjhala, Kifer, Gehrke &
    Venkitasubramaniam (2007), doi:10.1145/1217299.1217302.

    Examples
    --------
    >>> people = pd.DataFrame({"age": [30, 30, 41], "place": ["a", "a", "b"]})
    >>> k_anonymity(people, ["age", "place"], k=2).n_unique
    1
    """
    table, named, least = _what_to_count(data, columns, k)
    if not named or table.empty:
        return Anonymity(tuple(named), least, len(table), 0, 0, 0, pd.DataFrame(), {})
    grouped = table.groupby(list(named), dropna=False, observed=True, sort=True)
    cells = grouped.size().rename("n").to_frame()
    diversity = {}
    for column in sensitive:
        cells[f"distinct_{column}"] = grouped[column].nunique(dropna=False)
        diversity[column] = int(cells[f"distinct_{column}"].min())
    cells = cells.reset_index().sort_values("n", kind="stable", ignore_index=True)
    sizes = cells["n"]
    return Anonymity(
        columns=tuple(named), k=least, n_used=len(table), smallest=int(sizes.min()),
        n_unique=int((sizes == 1).sum()), n_below=int(sizes[sizes < least].sum()),
        cells=cells, diversity=diversity,
    )  # fmt: skip


def quasi_identifiers(study: Study) -> tuple[str, ...]:
    """Return what somebody outside may know of a respondent.

    Those that ``privacy: {quasi_identifiers: [...]}`` of study.yml names; if it is not there, the
    items of the groups and the controls, without free text and without questions with several
    answers. A study without respondents has none.
    """
    if not study.has_rows:
        return ()
    if study.spec.privacy.quasi_identifiers is not None:
        return tuple(study.spec.privacy.quasi_identifiers)
    named = [g.item for g in study.spec.groups.values()] + list(study.spec.controls)
    items = set(study.items["item"])
    kinds = {i: study.scale_of(i).kind for i in named if i in items}
    return tuple(dict.fromkeys(i for i in kinds if kinds[i] not in ("text", "multiple")))


def least_cell(study: Study) -> int:
    """Return how many respondents a cell should have: the study's k, else the suite's."""
    return study.spec.privacy.k or int(THRESHOLDS["cell_size"].value)


def salted_codes(keys: pd.Series, salt: bytes) -> pd.Series:
    """Return a code in place of each key: the same for the same key, not to be traced back.

    The code is HMAC-SHA-256 of the key under the salt, cut to ``CODE_LENGTH`` hexadecimal digits.
    Keys are few enough to be tried one by one, so the salt is what protects them: whoever has it
    can link codes to keys again, and it must not travel with the data.

    Parameters
    ----------
    keys : Series
        Keys as text; blanks stay blank.
    salt : bytes
        At least 16 secret bytes, from ``study_salt``.

    Raises
    ------
    DataContractError
        The salt is too short, or two different keys get one code.

    References
    ----------
    Krawczyk, Bellare & Canetti (1997), RFC 2104.
    """
    if len(salt) < _SALT_BYTES // 2:
        raise DataContractError(
            f"salted_codes: salt= has {len(salt)} bytes; at least {_SALT_BYTES // 2} are needed. "
            "Take the one of study_salt."
        )
    coded = {
        key: hmac.new(salt, str(key).encode("utf-8"), hashlib.sha256).hexdigest()[:CODE_LENGTH]
        for key in keys.dropna().unique()
    }
    if len(set(coded.values())) < len(coded):
        raise DataContractError(
            "salted_codes: keys= two different keys get one code; codes must differ. Remove the "
            "file salt.key in the study's folder derived/, and run again."
        )
    return keys.map(coded).astype(object).where(keys.notna(), None)


def study_salt(folder: Path) -> bytes:
    """Return a study's salt; made once, kept in ``derived/salt.key``, readable by its owner only.

    The folder ``derived/`` is ignored by git and never exported. Without the file the codes of an
    earlier export cannot be linked to respondents any more: remove it to make them anonymous.

    Raises
    ------
    ReportError
        The file cannot be written, or holds too little.
    """
    path = folder / SALT_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        except FileExistsError:
            salt = bytes.fromhex(path.read_text(encoding="ascii").strip())
        else:
            salt = secrets.token_bytes(_SALT_BYTES)
            with os.fdopen(handle, "w", encoding="ascii") as out:
                out.write(salt.hex() + "\n")
    except (OSError, ValueError) as error:
        raise ReportError(
            f"study_salt: the file {SALT_FILE.as_posix()} of the study cannot be used "
            f"({type(error).__name__}); a writable folder is needed. Make it writable, or remove "
            "the damaged file."
        ) from None
    if len(salt) < _SALT_BYTES:
        raise ReportError(
            f"study_salt: the file {SALT_FILE.as_posix()} holds {len(salt)} bytes; {_SALT_BYTES} "
            "are needed. Remove it; a new one is made, and older codes can no longer be linked."
        )
    return salt


def _what_to_count(
    data: pd.DataFrame | Study, columns: Sequence[str] | None, k: int | None
) -> tuple[pd.DataFrame, list[str], int]:
    """Return the table, the columns and the k that were asked for."""
    if isinstance(data, Study):
        named = list(quasi_identifiers(data) if columns is None else columns)
        table = data.responses if data.has_rows else pd.DataFrame()
        least = least_cell(data) if k is None else k
    else:
        if columns is None:
            raise DataContractError(
                "k_anonymity: columns= is not given; a table does not say what its "
                "quasi-identifiers are. Name the columns that somebody outside may know."
            )
        table, named = data, list(columns)
        least = int(THRESHOLDS["cell_size"].value) if k is None else k
    unknown = [c for c in named if c not in table] if len(table.columns) else []
    if unknown:
        raise DataContractError(
            f"k_anonymity: columns= {listing(unknown)} are not in the table; it has "
            f"{listing(table.columns)}.{nearest(unknown[0], table.columns)}"
        )
    if least < 1:
        raise DataContractError(f"k_anonymity: k= is {least}; at least 1 is needed. Usual is 5.")
    return table, named, least
