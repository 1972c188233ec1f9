"""Contract: the printed forms hold native tables, equations and the text, and no code."""

import base64
import io
import re
import shutil
import subprocess
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

needs_pdftotext = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext reads the PDF back"
)


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


def long_table(groups=12, rows=6):
    """A table with sub-headings, longer than a page, as notebooks show it."""
    body = ""
    for group in range(groups):
        body += f'<tr><td colspan="2" style="text-align:left"><em>Group {group}.</em></td></tr>'
        body += "".join(f"<tr><td>item {group}.{i}</td><td>.{i}</td></tr>" for i in range(rows))
    head = "<thead><tr><th>Item</th><th>Loading</th></tr></thead>"
    note = '<p class="table-note">Read me.</p>'
    return f"<table><caption>Long</caption>{head}<tbody>{body}</tbody></table>{note}"


def shown(*tables):
    outputs = [nbformat.v4.new_output("display_data", {"text/html": t}) for t in tables]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    return harvest(book, name="x")


def test_in_word_no_row_is_parted_and_short_tables_stay_whole():
    short = TABLE
    xml, _names = document(docx(shown(short, long_table()), FRAME))
    first, second = re.findall(r"<w:tbl>.*?</w:tbl>", xml, re.DOTALL)
    for table in (first, second):
        assert table.count("<w:cantSplit/>") == table.count("<w:tr>")
    rows = re.findall(r"<w:tr>.*?</w:tr>", first, re.DOTALL)
    assert all("<w:keepNext/>" in row for row in rows)  # the last one stays with the note
    rows = re.findall(r"<w:tr>.*?</w:tr>", second, re.DOTALL)
    for position, row in enumerate(rows):
        stays = "Group" in row or position < 2 or position >= len(rows) - 2
        assert ("<w:keepNext/>" in row) == stays


def test_word_numbers_its_pages():
    data = docx(shown(TABLE), FRAME)
    xml, names = document(data)
    assert "<w:footerReference" in xml
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        footers = [
            archive.read(n).decode("utf-8") for n in names if "footer" in n and "rels" not in n
        ]
    assert any("PAGE" in footer for footer in footers)


def test_a_figure_higher_than_a_page_is_made_smaller_in_word():
    """Word cuts off what goes beyond the page."""
    high = SVG.replace('height="9"', 'height="1100"')  # 291 mm at 96 dots an inch
    figure = {"kind": "figure", "id": "f", "caption": "High", "alt": "It is high."}
    output = nbformat.v4.new_output("display_data", {"image/svg+xml": high, MIME: figure})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    xml, _names = document(docx(harvest(book, name="x"), FRAME))
    emu_a_mm = 36_000
    height = int(re.search(r'<wp:extent cx="\d+" cy="(\d+)"', xml).group(1)) / emu_a_mm
    assert 200 < height < 220


def test_the_mark_of_an_exercise_is_not_printed():
    html = {"text/html": '<p class="answer right">Exercise 1: right.</p>', "text/plain": "r"}
    shown = nbformat.v4.new_output("display_data", html)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[shown])])
    assert "Exercise 1" not in document(docx(harvest(book, name="x"), FRAME))[0]


def test_a_pdf_is_made_in_both_languages(found):
    for language in ("en", "zh"):
        with in_language(language):
            assert pdf(found, FRAME).startswith(b"%PDF")


@needs_pdftotext
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


def page_texts(found, folder, language="en"):
    with in_language(language):
        (folder / "a.pdf").write_bytes(pdf(found, FRAME))
    command = ["pdftotext", "-layout", str(folder / "a.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return text.split("\f")


@needs_pdftotext
def test_a_long_table_says_overleaf_which_group_goes_on(tmp_path):
    pages = page_texts(shown(long_table()), tmp_path)
    assert "Group 0." in pages[0]
    for page in pages:
        lines = [line.split() for line in page.splitlines() if line.strip()]
        told = [line for line in lines if line[0] in ("Group", "item")]
        # Each page begins with the group its rows belong to, and no group ends a page.
        if told:
            assert told[0][0] == "Group" and told[-1][0] == "item"
            assert told[1][1].startswith(told[0][1])


@needs_pdftotext
def test_a_short_table_is_not_parted(tmp_path):
    """Tables of twelve rows, one after the other: each stands on one page with its note."""
    pages = page_texts(shown(*[long_table(groups=2, rows=5)] * 9), tmp_path)
    for page in pages:
        marks = re.findall(r"Table \d+\. Long|Read me", page)
        assert len(marks) % 2 == 0 and marks[::2] != marks[1::2] or not marks
        assert all(m.startswith("Table") for m in marks[::2])


def test_a_failure_is_printed_too(found):
    failure = Failure("error", "ValueError", "bad $value_", (), 1)
    words = re.sub(r"<[^>]*>", "", document(docx(found, FRAME, failure=failure))[0])
    assert "This notebook did not run to its end" in words and "bad $value_" in words
    assert pdf(found, FRAME, failure=failure).startswith(b"%PDF")
