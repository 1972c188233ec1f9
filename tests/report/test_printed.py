"""Contract: the printed forms hold native tables, equations and the text, and no code."""

import base64
import io
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest

from helpers.i18n import in_language
from helpers.lesson import MIME
from helpers.report.execute import Failure
from helpers.report.harvest import harvest
from helpers.report.page import Frame
from helpers.report.printed import docx, pdf

PNG = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    '<rect width="9" height="9"/></svg>'
)
TABLE = (
    '<div class="apa-table"><table><caption>Paths</caption><thead><tr>'
    '<th style="text-align:left">Term</th><th style="text-align:right">B</th></tr></thead><tbody>'
    '<tr><td style="text-align:left">#hash $5 _x_ "q" \\ &lt;b&gt; 满意</td>'
    '<td style="text-align:right">.41</td></tr><tr><td>1. first</td><td>+</td></tr>'
    "<tr><td>= x</td><td>- y</td></tr></tbody></table>"
    '<p class="table-note">N = 40.</p></div>'
)
FRAME = Frame("Study *A* #1", True, (), (("Data", "a_b * $x$"), ("Versions", "python")))


@pytest.fixture(scope="module")
def found():
    figure = {"kind": "figure", "id": "f", "caption": 'A "figure" #1', "alt": "It rises."}
    outputs = [
        {"text/html": TABLE, "text/plain": "t"},
        {"text/html": '<p class="reading">Read #this: 5 &lt; 6.</p>', "text/plain": "r"},
        {"image/svg+xml": SVG, "image/png": PNG, MIME: figure},
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# Does *it* work?\n\n## Method\n\n$\\sqrt{x}$ and `code`"),
        nbformat.v4.new_code_cell(
            "secret = 1", outputs=[nbformat.v4.new_output("display_data", o) for o in outputs]
        ),
    ]
    return harvest(nbformat.v4.new_notebook(cells=cells), name="x")


def document(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("word/document.xml").decode("utf-8"), archive.namelist()


def test_word_has_native_tables_equations_and_pictures(found):
    xml, names = document(docx(found, FRAME))
    assert xml.count("<w:tbl>") == 1 and xml.count("<w:tr>") == 4
    assert "<m:rad>" in xml
    assert any(name.startswith("word/media/") for name in names)
    assert 'descr="It rises."' in xml and "base64" not in xml
    words = re.sub(r"<[^>]*>", "", xml)
    for text in ("Table 1. Paths", "Figure 1. A ", "满意", "Read #this: 5 &lt; 6.", "SIMULATED"):
        assert text in words
    assert 'w:val="Reading"' in xml and 'w:val="right"' in xml
    assert "secret" not in words


@pytest.mark.parametrize(("language", "words"), [("en", ("Table", "Figure")), ("zh", ("表", "图"))])
def test_word_counts_tables_and_figures_itself(found, language, words):
    """The number is a field SEQ: Word renumbers it, lists it and lets it be cited."""
    with in_language(language):
        xml, _names = document(docx(found, FRAME))
    for word in words:
        field = re.escape(f'<w:fldSimple w:instr=" SEQ {word} \\* ARABIC ">')
        assert len(re.findall(field + r".{,90}>1</w:t>", xml)) == 1
    captions = re.findall(r'<w:pStyle w:val="(TableCaption|ImageCaption)"', xml)
    assert captions == ["TableCaption", "ImageCaption"]


def test_references_hang_and_lists_keep_the_size_of_text():
    prose = "# Q\n\nFit (Hu & Bentler 1999).\n\n1. one\n2. two\n"
    cells = [nbformat.v4.new_markdown_cell(prose)]
    data = docx(harvest(nbformat.v4.new_notebook(cells=cells), name="x"), FRAME)
    xml, _names = document(data)
    entry = xml[xml.index('w:val="Reference"') :]
    assert "Hu, L." in re.sub(r"<[^>]*>", "", entry)
    assert 'w:val="Compact"' not in xml
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        styles = archive.read("word/styles.xml").decode("utf-8")
    assert re.search(r'w:styleId="Reference".*?w:hanging="567"', styles)
    # What follows the list is no reference.
    assert entry.count('w:val="Reference"') == 1


def test_no_number_is_broken_in_a_wide_table():
    """Thirteen columns: each gets at least its longest word, so long text gives way to numbers."""
    numbers = [["2,526.65", "1,990", "[−0.51, −0.36]", "ΔRMSEA"][i % 4] for i in range(9)]
    text = "a rather long name of a step that has to be broken over lines in any case"
    cells = "".join(f"<td>{n.replace(' ', chr(160))}</td>" for n in numbers)
    head = "".join(f"<th>h{i}</th>" for i in range(10))
    table = f"<table><thead><tr>{head}</tr></thead><tbody><tr><td>{text}</td>{cells}</tr></tbody>"
    shown = nbformat.v4.new_output("display_data", {"text/html": table + "</table>"})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[shown])])
    xml, _names = document(docx(harvest(book, name="x"), FRAME))
    widths = [int(w) for w in re.findall(r'<w:gridCol w:w="(\d+)"', xml)]
    digit = 9.5 * 0.5 * 20  # twips of a digit of Times in the size of cells
    assert len(widths) == 10 and sum(widths) <= 9184  # the width of the text on the page
    # Brackets, commas, points and blanks are half as wide as a digit.
    assert all(w >= 5 * digit for w, n in zip(widths[1:], numbers) if len(n) == 5)
    assert all(w >= 11 * digit for w, n in zip(widths[1:], numbers) if len(n) == 14)


def test_the_mark_of_an_exercise_is_not_printed():
    html = {"text/html": '<p class="answer right">Exercise 1: right.</p>', "text/plain": "r"}
    shown = nbformat.v4.new_output("display_data", html)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[shown])])
    assert "Exercise 1" not in document(docx(harvest(book, name="x"), FRAME))[0]


def test_a_pdf_is_made_in_both_languages(found):
    for language in ("en", "zh"):
        with in_language(language):
            assert pdf(found, FRAME).startswith(b"%PDF")


@pytest.mark.skipif(
    subprocess.run(["which", "pdftotext"], capture_output=True).returncode != 0
    or sys.platform == "win32",
    reason="pdftotext reads the PDF back",
)
def test_a_pdf_holds_the_text(found, tmp_path):
    with in_language("zh"):
        (tmp_path / "a.pdf").write_bytes(pdf(found, FRAME))
    command = ["pdftotext", "-layout", str(tmp_path / "a.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = "".join(text.split())
    for words in (
        "Does it work?",
        "表 1",
        "满意",
        "#hash $5",
        "5 < 6",
        "模拟数据",
        "N = 40.",
        "1. first",
        "+",
        "= x",
        "- y",
    ):
        assert words.replace(" ", "") in text
    assert "secret" not in text


def test_a_failure_is_printed_too(found):
    failure = Failure("error", "ValueError", "bad $value_", (), 1)
    words = re.sub(r"<[^>]*>", "", document(docx(found, FRAME, failure=failure))[0])
    assert "This notebook did not run to its end" in words and "bad $value_" in words
    assert pdf(found, FRAME, failure=failure).startswith(b"%PDF")
