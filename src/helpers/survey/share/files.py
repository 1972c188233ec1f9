"""Write a shareable copy: data as SPSS or CSV file, codebook and description beside it."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from helpers.errors import ReportError
from helpers.i18n import _, in_language, pick
from helpers.specification import one_text
from helpers.survey.load import Study
from helpers.survey.share.copy import SharedCopy, Variable, shared_copy
from helpers.survey.simulate.export import write_whole

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First signs with which a spreadsheet takes a text for a formula."""

_LABEL_BYTES = 250
"""Bytes of a variable's label that SPSS keeps, with room for a cut sign."""

_VALUE_BYTES = 110
_MEASURES = {"likert": "ordinal", "category": "nominal", "multiple": "nominal", "number": "scale"}


def export_study(
    study: Study, *, form: str, out: Path, language: str = "en", k: int | None = None
) -> tuple[list[Path], SharedCopy]:
    """Write the shareable copy of a study into a folder.

    Parameters
    ----------
    study : Study
        An opened study with respondents.
    form : str
        ``sav`` or ``csv``.
    out : Path
        Folder; made if it does not exist.
    language : str
        Of labels, codebook and description.
    k : int, optional
        Respondents who must look alike, in place of the study's own.

    Returns
    -------
    (list of Path, SharedCopy)
        Files written: data, codebook, ``README.md``.

    Raises
    ------
    ReportError
        Unknown form, or the folder cannot be written.
    DataContractError
        The study has no respondents.

    Notes
    -----
    The .sav file carries variable labels, value labels and missing codes. Checked by reading it
    back with this suite's own reader and with R haven (``tests/reference/shared_copy.R``).
    """
    if form not in ("sav", "csv"):
        raise ReportError(f"export_study: form= '{form}' is not known; allowed are sav, csv.")
    with in_language(language):
        copy = shared_copy(study, k=k)
        data = sav_bytes(copy, study) if form == "sav" else csv_bytes(copy)
        files = {
            f"{study.id}_shared.{form}": data,
            f"{study.id}_codebook.csv": codebook_bytes(copy.variables),
            "README.md": description(study, copy).encode("utf-8"),
        }
    try:
        for name, content in files.items():
            write_whole(out / name, content)
    except OSError as error:
        raise ReportError(
            f"export_study: out= '{out.name}' cannot be written ({error.strerror}); a writable "
            "folder is needed. Choose another place."
        ) from None
    return [out / name for name in files], copy


def safe_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers.

    A text that begins with ``= + - @``, a tab or a return gets an apostrophe in front, as OWASP
    advises against CSV injection.
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return "'" + value
    return value


def csv_bytes(copy: SharedCopy) -> bytes:
    """Return the data as UTF-8 CSV with a byte-order mark; blanks are empty cells."""
    table = copy.table.astype(object).where(copy.table.notna(), "")
    rows = [[_whole(cell) for cell in row] for row in table.to_numpy(dtype=object).tolist()]
    return _csv([list(copy.table.columns), *rows])


def codebook_bytes(variables: Sequence[Variable]) -> bytes:
    """Return the codebook as CSV: one row a variable."""
    head = ["variable", "item", "construct", "label", "kind", "reverse", "codes", "missing_codes",
            "note"]  # fmt: skip
    rows = [
        [v.name, v.item, v.construct, v.label, v.kind, int(v.reverse), _pairs(v.labels),
         _pairs(v.missing), v.note]
        for v in variables
    ]  # fmt: skip
    return _csv([head, *rows])


def sav_bytes(copy: SharedCopy, study: Study) -> bytes:
    """Return the data as an SPSS file with labels and missing codes."""
    import pyreadstat

    table = copy.table.copy()
    for name in ("case", "day"):
        if name in table:
            table[name] = table[name].fillna("")
    with tempfile.TemporaryDirectory(prefix="study-sav-") as name:
        path = Path(name) / "shared.sav"
        pyreadstat.write_sav(
            table,
            str(path),
            file_label=_cut(study.id, 60),
            column_labels={v.name: _cut(v.label, _LABEL_BYTES) for v in copy.variables},
            variable_value_labels={
                v.name: {
                    float(c): _cut(t, _VALUE_BYTES) for c, t in {**v.labels, **v.missing}.items()
                }
                for v in copy.variables
                if v.labels or v.missing
            },
            missing_ranges={
                v.name: [float(c) for c in v.missing] for v in copy.variables if v.missing
            },
            variable_measure={
                v.name: _MEASURES[v.kind] for v in copy.variables if v.kind in _MEASURES
            },
        )
        return path.read_bytes()


def description(study: Study, copy: SharedCopy) -> str:
    """Return what was done to the data, what was left out, and where they come from."""
    spec, coarse = study.spec, copy.coarsened
    lines = [f"# {study.title}", ""]
    if study.is_simulated:
        lines += [f"**{_('SIMULATED')}**", ""]
    lines += [
        pick(spec.provenance.model_dump()), "",
        f"- {_('Licence')}: {one_text(spec.licence)}",
        f"- {_('Citation')}: {one_text(spec.citation)}",
        f"- {_('Respondents')}: {len(copy.table)}",
        "", f"## {_('What was done against recognition')}", "",
        "- " + _("Ids are replaced by salted codes; the salt is not part of this copy."),
        "- " + _("Free text is left out; times are cut to the day; rows are sorted by code."),
    ]  # fmt: skip
    lines += [
        "- " + _("{item}: {what}.").format(item=item, what=what)
        for item, what in coarse.done.items()
    ]
    if coarse.n_blanked:
        blanked = _("The quasi-identifiers of {n} respondents in small cells are blank.")
        lines.append("- " + blanked.format(n=coarse.n_blanked))
    lines += ["", _("Before: {sentence}").format(sentence=coarse.before.text()), ""]
    lines += [_("Now: {sentence}").format(sentence=coarse.after.text()), "", verdict(copy), ""]
    lines += [f"## {_('What is not in this copy')}", ""]
    lines += [f"- {item}: {why}" for item, why in copy.left_out]
    lines += [f"- {_('further files of the study')}: {', '.join(spec.modules)}"] * bool(
        spec.modules
    )
    return "\n".join(lines) + "\n"


def verdict(copy: SharedCopy) -> str:
    """Return whether k was reached, in the current language."""
    after = copy.coarsened.after
    if not after.columns:
        return after.text()
    if after.reached:
        return _(
            "Every combination of quasi-identifiers belongs to at least {k} respondents."
        ).format(k=after.k)
    return _(
        "NOT REACHED: {n} respondents stand in cells of fewer than {k}; do not give this copy away."
    ).format(n=after.n_below, k=after.k)


def _whole(value: object) -> object:
    """Return whole numbers without decimals, and texts safe for spreadsheets."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return safe_cell(value)


def _pairs(labels: Mapping[int, str]) -> str:
    return "; ".join(f"{code}={text}" for code, text in labels.items())


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV text that spreadsheets open as UTF-8 and never run."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([safe_cell(c) for c in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cut(text: str, most: int) -> str:
    """Return a text of at most so many bytes, cut between characters."""
    raw = text.encode("utf-8")
    return text if len(raw) <= most else raw[: most - 3].decode("utf-8", "ignore") + "…"
