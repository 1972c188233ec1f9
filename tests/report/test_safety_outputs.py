"""Contract: hostile text of study, answers and parameters stays text in every form of a report."""

import csv
import html.parser
import io
import json
import re
import shutil
import subprocess
import zipfile
from xml.etree import ElementTree

import pytest

from helpers.i18n import in_language
from helpers.report.index import runs_index
from helpers.report.scrub import plain

HOST = "192.0.2.1"
PAYLOADS = (
    "<script>document.title='taken'</script>",
    f"<img src=http://{HOST}/a.png onerror=alert(1)>",
    f"![pixel](http://{HOST}/b.png)",
    f"[here](javascript:alert(2)) <a href='http://{HOST}/c'>there</a>",
    f'=HYPERLINK("http://{HOST}/d","x")',
    "+1+1",
    "-2+3|calc",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "```{=openxml}\n<w:p>forged</w:p>\n```",
    '`#read("a")`{=typst} #image("a.png") $\\input{a}$',
    "</style></title></body> $css ${css} base-uri",
    "\u202eright to left {0} %s",
)
TITLE = "$css </title><script>document.title='taken'</script> & ![p](http://192.0.2.1/t.png)"
CELL = f"""\
import pandas as pd
from helpers.results import CheckResult
hostile = {PAYLOADS!r}
rows = pd.DataFrame({{"answer": hostile, "=1+1": range(len(hostile))}})
lesson.table(rows, id="answers", caption=hostile[0], note=hostile[2], definition=hostile[1])
for text in hostile:
    lesson.say(text)
lesson.check(CheckResult(hostile[0], True, 0.96, 0.95, hostile[3], hostile[1]))
print(*hostile)
from IPython.display import HTML
display(HTML("".join(f"<p>{{text}}</p>" for text in hostile)))"""
FIGURE = f"""\
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.set_title({PAYLOADS[0]!r})
lesson.figure(ax, id="drawn", caption={PAYLOADS[1]!r}, alt={PAYLOADS[3]!r})"""
BEGIN = "from helpers.lesson import begin\nlesson = begin(study, language)"
PARAMETERS = (
    'study: str = "toy"  # a folder below data/\n'
    'language: str = "en"  # en or zh\n'
    'label: str = ""  # any text'
)


def with_hostile_study(project):
    """Put hostile text where a study file and a codebook hold text."""
    folder = project.root / "data" / "toy"
    text = (folder / "study.yml").read_text(encoding="utf-8")
    old = "title: {en: Toy study, zh: 示例研究}"
    assert old in text
    title = json.dumps(TITLE)
    (folder / "study.yml").write_text(
        text.replace(old, f"title: {{en: {title}, zh: {title}}}").replace(
            "name: {en: Satisfaction, zh: 满意度}",
            f"name: {{en: {json.dumps(PAYLOADS[0])}, zh: {json.dumps(PAYLOADS[1])}}}",
        ),
        encoding="utf-8",
    )
    items = (folder / "items.csv").read_text(encoding="utf-8")
    quoted = '"' + PAYLOADS[4].replace('"', '""') + '"'
    items = items.replace("I am satisfied,我感到满意", f"{PAYLOADS[1]},{quoted}")
    (folder / "items.csv").write_text(items.replace("It pleased me", PAYLOADS[0]), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(module_project):
    """One run in all formats, its parameter hostile as well."""
    from helpers.cli import main

    p = module_project
    with_hostile_study(p)
    p.notebook("20_hostile", BEGIN, "## Result", CELL, FIGURE, parameters=PARAMETERS)
    p.notebook("30_fails", BEGIN, f"raise ValueError({PAYLOADS[0]!r})", parameters=PARAMETERS)
    p.notebook("95_report", BEGIN, CELL, parameters=PARAMETERS)
    out = p.root / "out"
    words = ["run", "toy", "--format", "html,pdf,docx", "--out", str(out)]
    assert main([*words, "--set", f"label={PAYLOADS[0]}"]) == 1
    return next(out.glob("toy/*/manifest.json")).parent


class Page(html.parser.HTMLParser):
    """What a browser would make of a page: elements, addresses, handlers, and the text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.addresses, self.handlers, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "action", "data")]
        self.handlers += [k for k, _v in attrs if k.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def assert_harmless(text, *, scripts=0):
    page = Page(text)
    assert page.tags.count("script") == scripts and page.tags.count("title") == 1
    assert not {"iframe", "object", "embed", "form", "base", "link"} & set(page.tags)
    assert not page.handlers
    for address in page.addresses:
        assert address.startswith(("https://doi.org/", "data:image/")) or (
            not re.match(r"\w+:|//", address)
        ), address
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; ")
    return page


def squeezed(text):
    return re.sub(r"[\s\u00a0\u202e]", "", text)


@pytest.mark.parametrize("name", ["20_hostile.html", "30_fails.html", "report.html", "index.html"])
def test_pages_show_it_as_text(folder, name):
    text = (folder / name).read_text(encoding="utf-8")
    page = assert_harmless(text)
    shown = squeezed(page.text)
    assert squeezed(TITLE) in shown
    if name == "20_hostile.html":
        for payload in PAYLOADS:
            assert shown.count(squeezed(payload)) >= 3, payload  # table, sentence, printed
    assert text.count("<style>") == 1 and "--paper:" in text.split("<style>")[1]


def test_the_lists_of_runs_show_it_as_text(folder):
    base = folder.parents[1]
    for language in ("en", "zh"):
        runs_index(base, language=language)
        page = assert_harmless((base / "index.html").read_text(encoding="utf-8"))
        assert squeezed(TITLE) in squeezed(page.text)


@pytest.mark.parametrize("name", ["20_hostile.docx", "report.docx"])
def test_word_shows_it_as_text(folder, name):
    with zipfile.ZipFile(folder / name) as archive:
        parts = {n: archive.read(n).decode("utf-8", "replace") for n in archive.namelist()}
    links = "".join(text for n, text in parts.items() if n.endswith(".rels"))
    assert HOST not in links and "javascript" not in links
    assert not any("vbaProject" in n for n in parts)
    xml = parts["word/document.xml"]
    fields = re.findall(r'instr="([^"]*)"', xml) + re.findall(r"<w:instrText[^>]*>([^<]*)", xml)
    assert all(re.fullmatch(r" SEQ (Table|Figure) \\\* ARABIC ", f) for f in fields)
    words = squeezed(html.unescape(re.sub(r"<[^>]*>", "", xml)))
    for payload in PAYLOADS:
        assert squeezed(payload) in words, payload
    assert squeezed(TITLE) in words


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext reads the PDF back")
@pytest.mark.parametrize("name", ["20_hostile.pdf", "report.pdf"])
def test_a_pdf_shows_it_as_text(folder, name):
    command = ["pdftotext", "-raw", str(folder / name), "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = squeezed(told).replace("-", "")
    for payload in PAYLOADS[:-1]:  # the last turns its direction, and with it the order of letters
        assert squeezed(payload).replace("-", "") in words, payload
    data = (folder / name).read_bytes()
    assert f"/URI (http://{HOST}".encode() not in data and b"/JavaScript" not in data


def test_spreadsheets_run_nothing(folder):
    for path in sorted((folder / "tables").glob("*.csv")):
        cells = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert cells
        for cell in (c for row in cells for c in row):
            number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)
            assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    answers = (folder / "tables" / "20_answers.csv").read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in answers and "'@SUM" in answers and "'=1+1" in answers


def test_a_figure_file_holds_no_script(folder):
    svg = (folder / "figures" / "20_drawn.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(svg)
    assert not any(node.tag.endswith(("script", "foreignObject", "image")) for node in root.iter())
    names = {name.rpartition("}")[2] for node in root.iter() for name in node.attrib}
    assert not any(name.startswith("on") for name in names)
    links = [v for node in root.iter() for k, v in node.attrib.items() if k.endswith("href")]
    assert all(link.startswith("#") for link in links)


def test_names_of_files_are_made_of_safe_letters(folder):
    for path in folder.rglob("*"):
        assert re.fullmatch(r"[\w.\-]+", path.name), path.name
    assert re.fullmatch(r"[\w.\-=]+", folder.name), folder.name


@pytest.mark.parametrize("form", ["html", "docx", "qualtrics", "limesurvey"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_questionnaire_shows_it_as_text(project, form, language):
    from helpers.report.questionnaire import write_questionnaire
    from helpers.study import read_folder, study_folder

    with_hostile_study(project)
    study = read_folder(study_folder("toy"))
    out = project.root / "out.file"
    write_questionnaire(study, form=form, language=language, out=out)
    wording = PAYLOADS[1] if language == "en" else PAYLOADS[4]
    if form == "docx":
        with zipfile.ZipFile(out) as archive:
            xml = archive.read("word/document.xml").decode("utf-8")
            links = archive.read("word/_rels/document.xml.rels").decode("utf-8")
        assert squeezed(wording) in squeezed(html.unescape(re.sub(r"<[^>]*>", "", xml)))
        assert HOST not in links
    elif form == "html":
        page = Page(out.read_text(encoding="utf-8"))
        assert page.tags.count("script") == 0 and "img" not in page.tags and not page.handlers
        assert squeezed(wording) in squeezed(page.text)
    else:
        # These systems show HTML: the mark-up must have been turned into text.
        text = out.read_text(encoding="utf-8")
        assert "<script" not in text and "<img" not in text
    columns = out.with_name("out_columns.csv")
    if columns.exists():
        rows = csv.reader(io.StringIO(columns.read_text(encoding="utf-8-sig")))
        assert not any(c.startswith(("=", "+", "@", "\t")) for row in rows for c in row)


def test_the_pages_of_a_batch_show_it_as_text(project):
    from helpers.report.batch.expand import expand
    from helpers.report.batch.pages import write_pages
    from helpers.report.batch.settings import read_batch

    with_hostile_study(project)
    project.notebook("10_work", "1", parameters=PARAMETERS)
    path = project.root / "b.yml"
    path.write_text(
        f"study: toy\nmatrix: {{label: {json.dumps([PAYLOADS[0], PAYLOADS[1]])}}}", encoding="utf-8"
    )
    batch = read_batch(path)
    reports = expand(batch)
    batch.folder.mkdir(parents=True)
    number = {"id": PAYLOADS[0], "label": PAYLOADS[0], "value": 0.4, "low": 0.1, "high": 0.6,
              "n": 9}  # fmt: skip
    failure = {"notebook": "10_work", "message": PAYLOADS[0], "page": PAYLOADS[1]}
    lines = {
        r.name: {
            "report": r.name, "axes": dict(r.axes), "language": "en", "selection": "",
            "formats": ["html"], "status": "failed", "seconds": 1.0, "why": [PAYLOADS[0]],
            "notebooks": {"10_work": "failed"}, "failures": [failure], "numbers": [number],
            "manifest": "m", "made_from": "f",
        }
        for r in reports
    }  # fmt: skip
    with in_language("en"):
        write_pages(batch, reports, lines, [])
    index = assert_harmless((batch.folder / "index.html").read_text(encoding="utf-8"), scripts=1)
    shown = squeezed(index.text)
    assert squeezed(PAYLOADS[0]) in shown and squeezed(TITLE) in shown
    text = (batch.folder / "comparison.html").read_text(encoding="utf-8")
    assert squeezed(PAYLOADS[0]) in squeezed(assert_harmless(text).text)
    for report in reports:
        assert re.fullmatch(r"[\w.\-=]+", report.name), report.name


def test_no_label_turns_the_text_after_it():
    turned = "Satis\u202efaction\u2066 (7 points)\u2069, שלום"
    assert plain(turned) == "Satisfaction (7 points), שלום"
