"""Contract: whoever is named on a page stands in the bibliography, and identifiers agree."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from helpers.i18n import in_language
from helpers.report.bibliography import named_in, reference_list, sources, unknown_in
from helpers.report.harvest import Markup, Prose
from helpers.thresholds import THRESHOLDS

ROOT = Path(__file__).parents[2]
SOURCE_FILES = sorted((ROOT / "src" / "helpers").rglob("*.py"))
MENTION = re.compile(
    r"([A-Z][\w\-]+)([^.;:()\"]{0,80}?)[ ,(]+((?:19|20)\d\d)[ab]?\)?"
    r"(?:[^\"\n]{0,120}?)doi:? ?(10\.\d+/[^\s;,\"'`]+)"
)


def prose():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for i, cell in enumerate(cells):
            if cell["cell_type"] == "markdown":
                yield f"{path.name}, cell {i}", "".join(cell["source"])


def catalogue_texts():
    for path in sorted((ROOT / "src" / "helpers" / "locale" / "zh").glob("*.po")):
        with path.open("rb") as handle:
            for message in read_po(handle, locale="zh"):
                yield path.name, message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("alpha (Cronbach 1951)", ["cronbach1951"]),
        ("Feldt, Woodruff and Salih (1987)", ["feldt1987"]),
        ("Hayes's index of moderated mediation (2015)", ["hayes2015"]),
        ("Hayes (2015, 2022)", ["hayes2015", "hayes2022"]),
        ("赵等（Zhao、Lynch 和 Chen 2010）", ["zhao2010"]),
        ("<td>Hu &amp; Bentler (1999)</td>", ["hu1999"]),
        ("de Matos, Henrique & Rossi 2007", ["dematos2007"]),
        ("Johnson and Neyman (1936)", ["johnsonneyman1936"]),
        ("Rhemtulla, Brosseau-Liard & Savalei (2012)", ["rhemtulla2012"]),
        ("Horn 1965, Cronbach 1951", ["cronbach1951", "horn1965"]),
        ("$p<.05$ (Horn 1965), $P(T>C)$", ["horn1965"]),
        ("in 1951, and Cronbach later", []),
        ("Smith & Wesson (1999)", []),
    ],
)
def test_sources_are_found_by_author_and_year(text, keys):
    assert [source.key for source in named_in(text)] == keys


def test_a_stranger_is_noticed():
    assert unknown_in("as Nobody and Noone (1999) say, and Cronbach (1951)") == [
        "Nobody and Noone (1999"
    ]


def test_everyone_named_in_prose_is_known():
    lost = {place: found for place, text in prose() if (found := unknown_in(text))}
    assert not lost


def test_everyone_named_in_texts_of_code_is_known():
    lost = {(place, *found) for place, text in catalogue_texts() if (found := unknown_in(text))}
    assert not lost


def test_every_cut_off_names_a_known_source():
    lost = {row.name: found for row in THRESHOLDS.values() if (found := unknown_in(row.source))}
    assert not lost


def test_identifiers_of_cut_offs_agree_with_the_bibliography():
    known = {source.key: source.doi.lower() for source in sources()}
    for row in THRESHOLDS.values():
        named = [known[source.key] for source in named_in(row.source)]
        assert not row.doi or row.doi.lower() in named, row.name


def test_identifiers_in_docstrings_agree_with_the_bibliography():
    by_name = {(s.authors[0].split()[-1], s.year): s.doi for s in sources()}
    doubled = [k for k in by_name if sum(k == (s.authors[0].split()[-1], s.year) for s in sources()) > 1]  # fmt: skip  # noqa: E501
    wrong = []
    for path in SOURCE_FILES:
        text = re.sub(r"\s*\n\s*", " ", path.read_text(encoding="utf-8"))
        for match in MENTION.finditer(text):
            name, year, doi = match[1], match[3], match[4].rstrip(".)]:")
            listed = by_name.get((name, year))
            if listed and (name, year) not in doubled and doi.lower() != listed.lower():
                wrong.append(f"{path.name}: {name} ({year}) has {doi}, the bibliography {listed}")
    assert not wrong, "\n".join(wrong)


def test_the_list_is_formatted_and_in_order():
    blocks = [
        Prose("Omega (McDonald 1999) and alpha (Cronbach 1951)."),
        Markup("<p>Horn (1965)</p>"),
    ]
    text = reference_list(blocks)
    first, opened, *entries, closed = re.split(r"\n\n+", text.strip())
    assert first == "## References" and 'class="references"' in opened and "</div>" in closed
    assert [entry.split(",")[0] for entry in entries] == ["Cronbach", "Horn", "McDonald"]
    assert entries[0] == (
        "Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. "
        "*Psychometrika*, *16*(3), 297–334. <https://doi.org/10.1007/BF02310555>"
    )
    with in_language("zh"):
        assert reference_list(blocks).startswith("## 参考文献")
    assert reference_list([Prose("nobody")]) == ""


def test_keys_and_identifiers_are_unique():
    assert len({s.key for s in sources()}) == len(sources())
    dois = [s.doi.lower() for s in sources() if s.doi]
    assert len(set(dois)) == len(dois)
