"""Contract: a Chinese page shows no English but names, codes, formulas and sources."""

import json
import sys
from pathlib import Path

import pytest

from helpers.cli import main
from helpers.i18n import in_language
from helpers.specification import one_text
from helpers.study import list_studies, read_folder, study_folder

sys.path.insert(0, str(Path(__file__).parent))
from english_left import english_drawn, english_left, english_words

SHORTEST = "maxham_netemeyer_2003"
"""A published matrix: its pages are made in seconds. The others are read before a release."""


@pytest.mark.parametrize(
    "text",
    [
        "convention of this suite",
        "标准误：robust sandwich (Huber-White)；N = 942",
        "许可：CC0-1.0 (data)；请说明存放处",
        "E4  indirect",
        "The whole sentence.",
        "补救满意度 and 忠诚度",
    ],
)
def test_english_is_found(text):
    assert english_words(text)
    assert english_left(f"<body><p>{text}</p></body>") == [text]
    assert english_left(f'<body><img alt="{text}"></body>') == [text]
    assert english_drawn(f"<svg><!-- {text} --></svg>") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "Hu & Bentler (1999)，doi:10.1080/10705519909540118",
        "Zhao, Lynch and Chen (2010)；van Buuren 与 Groothuis-Oudshoorn",
        "Cohen kappa 为 .60，Krippendorff α；Rönkkö & Cho (2022)",
        "见 population.yml 与 `study simulate`；管理分析“process”",
        "total = a*b + c；RSAT ~ REC；SPEED1",
        "R² = .24，p < .001，n = 942",
    ],
)
def test_names_codes_formulas_and_sources_are_not(text):
    assert english_words(text) == []


def test_code_references_and_the_foot_of_a_page_are_not_read():
    page = "<body><code>for all of them</code><div class='references'>A study of all</div>"
    assert english_left(page + "<footer>language = zh, all of them</footer></body>") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == SHORTEST else pytest.mark.long)
        for name in list_studies()
    ],
)
def test_pages_of_the_bundled_studies(name, tmp_path_factory):
    out = tmp_path_factory.mktemp(name)
    assert main(["run", name, "--language", "zh", "--out", str(out)]) == 0
    with in_language("zh"):
        sources = [one_text(read_folder(study_folder(name)).spec.citation).strip()]
    left = {
        path.name: found
        for path in out.rglob("[0-9][0-9]_*.html")
        if (found := english_left(path.read_text(encoding="utf-8"), sources=sources))
    }
    drawn = {
        path.name: found
        for path in out.rglob("*.svg")
        if (found := english_drawn(path.read_text(encoding="utf-8")))
    }
    numbers = [
        number["definition"]
        for path in out.rglob("results.json")
        for notebook in json.loads(path.read_text(encoding="utf-8"))["notebooks"].values()
        for number in notebook.get("numbers", [])
        if english_words(number["definition"])
    ]
    assert left == {} and drawn == {} and numbers == []
