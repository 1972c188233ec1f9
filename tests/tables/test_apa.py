"""Contract: printed tables are three-line, aligned on each cell, escaped, and lose no digits."""

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from helpers.errors import ReportError, Unavailable
from helpers.i18n import in_language
from helpers.tables import Column, apa_table, interval_column


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "term": ["REC", "=cmd|' /C calc'!A0", "<b>SAT</b>"],
            "estimate": [0.41234567890123, -1.5, np.nan],
            "ci_low": [0.1, -2.0, np.nan],
            "ci_high": [0.7, -1.0, np.nan],
            "p_value": [0.00001, 0.04, np.nan],
        }
    )


def test_cells(frame):
    table = apa_table(frame, caption="Paths")
    assert [c.label for c in table.columns] == ["Term", "Estimate", "95% CI", "p"]
    assert table.cells[0] == ("REC", "0.41", "[0.10, 0.70]", "< .001")
    assert table.cells[2][1:] == ("–", "–", "–")


def test_every_html_cell_is_aligned_and_escaped(frame):
    page = apa_table(frame, caption="A < B", note='see "x"').html()
    cells = re.findall(r"<t[hd] [^>]*>", page)
    assert len(cells) == 4 + 3 * 4
    assert all("text-align:" in cell for cell in cells)
    assert "<b>" not in page
    assert "&lt;b&gt;SAT&lt;/b&gt;" in page
    assert "<caption>A &lt; B</caption>" in page
    assert page.count("border-top") == 4


def test_csv_keeps_every_digit_and_runs_nothing(frame):
    rows = list(csv.DictReader(io.StringIO(apa_table(frame, caption="x").csv())))
    assert float(rows[0]["estimate"]) == frame["estimate"][0]
    assert rows[2]["estimate"] == ""
    assert rows[1]["term"] == "'=cmd|' /C calc'!A0"
    assert float(rows[1]["estimate"]) == -1.5


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_each_formula_start_is_neutralised(start):
    text = apa_table(pd.DataFrame({"term": [start + "1"]}), caption="x").csv()
    assert next(csv.reader(io.StringIO(text.split("\n", 1)[1])))[0].startswith("'")


def test_an_unavailable_cell_is_explained_in_the_note():
    lost = Unavailable("the interval", "the bootstrap failed")
    frame = pd.DataFrame({"term": ["a", "b"], "estimate": [1.0, lost]})
    table = apa_table(frame, caption="x", note="n = 5.")
    assert table.cells[1][1] == "–ᵃ"
    assert table.note == "n = 5. ᵃ Not available: the interval, because the bootstrap failed."
    assert table.csv().splitlines()[2] == "b,"
    assert json.loads(json.dumps(table.to_dict()))["rows"][1]["estimate"]["why"]


def test_missing_numbers_carry_their_reason(frame):
    assert "– not estimated." in apa_table(frame, caption="x", missing_reason="not estimated").note
    whole = frame.iloc[:2]
    assert apa_table(whole, caption="x", missing_reason="not estimated").note == ""


def test_columns_by_name_tuple_and_object(frame):
    columns = {
        "term": "Path",
        "estimate": ("B", "number", 3),
        "ci_low": interval_column(level=0.9),
    }
    table = apa_table(frame, caption="x", columns=columns)
    assert [c.label for c in table.columns] == ["Path", "B", "90% CI"]
    assert table.cells[0][1] == "0.412"


def test_small_loadings_are_left_blank():
    frame = pd.DataFrame({"loading": [0.2, -0.6]})
    table = apa_table(
        frame, caption="x", columns=[Column("loading", "F1", "bounded", hide_below=0.4)]
    )
    assert table.cells == (("",), ("−.60",))


def test_sections_head_their_rows(frame):
    frame = frame.assign(outcome=["SAT", "SAT", "LOY"])
    table = apa_table(frame, caption="x", columns={"term": "Path"}, section="outcome")
    assert table.sections == ((0, "SAT"), (2, "LOY"))
    assert table.html().count("<em>SAT</em>") == 1


def test_an_unknown_column_is_named(frame):
    with pytest.raises(ReportError, match="names 'estimat'.*Did you mean 'estimate'"):
        apa_table(frame, caption="x", columns={"estimat": "B"})
    with pytest.raises(ReportError, match="kind= is 'numbr'"):
        Column("a", "A", "numbr")


def test_markdown_cannot_be_broken_by_a_cell():
    text = apa_table(pd.DataFrame({"term": ["a|b\n<i>"]}), caption="x").markdown()
    assert "a\\|b \\<i>" in text


def test_chinese_headings(frame):
    with in_language("zh"):
        table = apa_table(frame, caption="路径", number=3)
        assert table.columns[1].label == "估计值"
        assert table.title == "表 3　路径"


def test_the_input_is_not_changed(frame):
    before = frame.copy(deep=True)
    apa_table(frame, caption="x")
    pd.testing.assert_frame_equal(frame, before)


def test_tables_do_not_load_matplotlib():
    code = "import helpers.tables, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_statistical_symbols_are_in_italics(frame):
    page = apa_table(frame, caption="x").html()
    assert "><em>p</em></th>" in page
    assert ">Term</th>" in page
