"""Facts of a sheet of an XLSX workbook, from the sheet's own XML."""

from __future__ import annotations

import posixpath
import re
import zipfile
from xml.etree import ElementTree

from helpers.survey.readers.sheet_facts import SheetFacts

_FORMULA = re.compile(rb"<f[ >/]")
_ERROR = re.compile(rb'<c [^>]*\bt="e"[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]*)</v>')
_WITHOUT_VALUE = re.compile(rb"(?:</f>|<f[^>]*/>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_HIDING = (b' hidden="1"', b' hidden="true"', b' ht="0"', b' width="0"')
_TAG = re.compile(rb"<(?:\w+:)?(row|col)\s")
_ROW_NUMBER = re.compile(rb'\sr="(\d+)"')
_SPAN = tuple(re.compile(rb'\s%s="(\d+)"' % end) for end in (b"min", b"max"))
_FILTER = re.compile(rb"<(?:\w+:)?filterColumn\b")
_WORKBOOK, _TARGETS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def facts_of_xlsx(archive: zipfile.ZipFile, sheet: str) -> SheetFacts:
    """Return the facts of one sheet of an XLSX workbook; none if its part cannot be found.

    Patterns are sought in the raw XML: a parser would take longer than the reading itself.
    """
    member = _member(archive, sheet)
    if member is None:
        return SheetFacts()
    content = archive.read(member)
    tags = [_TAG.match(tag) for tag in _hiding_tags(content)]
    formulas = len(_FORMULA.findall(content)) if b"<f" in content else 0
    return SheetFacts(
        rows=_rows(tags),
        columns=_columns(tags),
        filtered=_FILTER.search(content) is not None,
        formulas=formulas,
        without_value=len(_WITHOUT_VALUE.findall(content)) if formulas else 0,
        errors=tuple(hit.decode() for hit in _ERROR.findall(content))
        if b't="e"' in content
        else (),
    )


def _member(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return where a sheet lies in the archive; sheets need not be numbered in their order."""
    held = set(archive.namelist())
    if not {_WORKBOOK, _TARGETS} <= held:
        return None
    targets = targets_of(archive, _TARGETS)
    for one in ElementTree.fromstring(archive.read(_WORKBOOK)).iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            key = next((v for k, v in one.attrib.items() if k.endswith("}id")), None)
            member = targets.get(key)
            return member if member in held and member.endswith(".xml") else None
    return None


def targets_of(archive: zipfile.ZipFile, relations: str) -> dict[str | None, str]:
    """Return the parts that a workbook's relations lead to, by their ids."""
    return {
        one.get("Id"): posixpath.normpath(posixpath.join("/xl", str(one.get("Target")))).lstrip("/")
        for one in ElementTree.fromstring(archive.read(relations))
    }


def _hiding_tags(content: bytes) -> list[bytes]:
    """Return the tags that hide something; found by the sign, for there are many other tags."""
    found: set[tuple[int, bytes]] = set()
    for sign in _HIDING:
        at = content.find(sign)
        while at >= 0:
            start = content.rfind(b"<", 0, at)
            found.add((start, content[start : content.find(b">", at) + 1]))
            at = content.find(sign, at + 1)
    return [tag for _at, tag in sorted(found)]


def _rows(tags: list[re.Match[bytes] | None]) -> tuple[tuple[int, int], ...]:
    """Return the numbers of hidden rows, each as a run of its own."""
    numbers = [_ROW_NUMBER.search(tag.string) for tag in tags if tag and tag[1] == b"row"]
    return tuple((int(number[1]), int(number[1])) for number in numbers if number)


def _columns(tags: list[re.Match[bytes] | None]) -> tuple[tuple[int, int], ...]:
    """Return the runs of hidden columns; the XML keeps them as runs."""
    found = []
    for tag in tags:
        low, high = (end.search(tag.string) if tag else None for end in _SPAN)
        if low and high and tag[1] == b"col":
            found.append((int(low[1]), int(high[1])))
    return tuple(found)
