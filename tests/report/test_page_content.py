"""Contract: what a page shows, what it keeps out, and that it needs nothing but itself."""

import base64
import io
import re
from html.parser import HTMLParser

import nbformat
import pytest
from fontTools.ttLib import TTFont

from helpers.i18n import in_language
from helpers.lesson import MIME
from helpers.report.execute import Failure
from helpers.report.fonts import chinese_font_css, math_font_css
from helpers.report.harvest import harvest
from helpers.report.page import Frame, notebook_page
from helpers.report.scrub import plain, safe_html

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=http://evil.example/x.png onerror=alert(1)>",
    "![x](http://evil.example/x.png)",
    "```\n</details><script>alert(2)</script>",
    "[click](javascript:alert(3))",
    "<iframe src=//evil.example></iframe>",
    '"><svg onload=alert(4)>',
)


def shown(payload=None, **data):
    bundle = {"text/plain": "x", **{k.replace("_", "/"): v for k, v in data.items()}}
    if payload:
        bundle[MIME] = payload
    return nbformat.v4.new_output("display_data", bundle)


def page_of(*cells, failure=None, show_code=True, language="en"):
    book = nbformat.v4.new_notebook(cells=list(cells))
    with in_language(language):
        found = harvest(book, name="50_x", failure=failure)
        return notebook_page(found, Frame("Study", True), failure=failure, show_code=show_code)


def markdown(text):
    return nbformat.v4.new_markdown_cell(text)


def code(source, *outputs, tags=()):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


class Tags(HTMLParser):
    """Every start tag of a page, as a browser reads it."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def outside(page):
    """Addresses that the page would fetch or follow."""
    values = [a.get(k) for _, a in Tags(page).found for k in ("src", "href", "action", "data")]
    values += re.findall(r"""url\(["']?([^"')]+)""", page)
    inside = ("data:", "#")
    return [v for v in values if v and not v.startswith(inside) and not v.endswith(".html")]


def embedded(css):
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", css).group(1)
    return TTFont(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_free_text_stays_text(payload):
    outputs = [
        shown(text_html=f"<p>{payload}</p>"),
        shown(text_html=f"<table><caption>c</caption><tr><td>{payload}</td></tr></table>"),
        nbformat.v4.new_output("stream", name="stdout", text=payload),
        nbformat.v4.new_output("stream", name="stderr", text=payload),
        shown({"kind": "figure", "id": "f", "caption": payload, "alt": payload},
              **{"image_svg+xml": "<svg><script>alert(9)</script></svg>"}),
    ]  # fmt: skip
    page = page_of(markdown(f"## A\n\n{payload}"), code("x = 1", *outputs))
    found = Tags(page).found
    assert not {t for t, _ in found} & {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "link",
        "base",
    }
    assert not [name for _, attrs in found for name in attrs if name.startswith("on")]
    assert outside(page) == []
    pictures = [base64.b64decode(m) for m in re.findall(r"svg\+xml;base64,([^\"]+)", page)]
    assert pictures and not any(b"<script" in p for p in pictures)


def test_a_page_needs_nothing_but_itself():
    prose = "## Method\n\n$\\sqrt{x}$, see [doi](https://doi.org/10.1000/1) and ![p](a.png)"
    page = page_of(markdown("# Why?\n\nFirst."), markdown(prose), code("a = '满意'", shown()))
    assert outside(page) == ["https://doi.org/10.1000/1"]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    assert "default-src 'none'" in policy
    assert "http" not in policy and "script" not in policy
    assert page.count("<h1>") == 1 and "<h1>Why?</h1>" in page
    assert 'lang="en"' in page and "SIMULATED" in page


def test_code_is_folded_and_can_be_left_out():
    cells = [code("alpha = 1\n# ```\n'</details>'", shown(text_html="<p>seen</p>"))]
    page = page_of(*cells)
    assert page.count("<details") == page.count("</details>") == 1
    assert "alpha" in page and "<p>seen</p>" in page
    paper = page_of(*cells, show_code=False)
    assert "alpha" not in paper and "<p>seen</p>" in paper


def test_tables_are_numbered_and_keep_their_alignment():
    table = '<table><caption>Paths</caption><tr><td style="text-align:right">1</td></tr></table>'
    page = page_of(code("t", shown(text_html=table), shown(text_html=table)))
    assert "Table 1.</span> Paths" in page and "Table 2.</span> Paths" in page
    assert 'style="text-align:right;' in page
    chinese = page_of(code("t", shown(text_html=table)), language="zh")
    assert "表 1</span> Paths" in chinese and 'lang="zh-CN"' in chinese


def test_nothing_follows_a_stop():
    stop = {"kind": "stop", "what": "rows", "why": "none", "text": "Does not apply."}
    page = page_of(
        code("begin", shown(stop, text_html="<p>Does not apply.</p>")),
        markdown("## Result\n\nLater"),
        code("y", shown(text_html="<p>later</p>")),
    )
    assert "Does not apply." in page
    assert "Later" not in page and "later" not in page


def test_a_failure_is_told_without_the_machine():
    trace = (
        "\x1b[0;31mValueError\x1b[0m in /home/ada/project/notebooks/x.py:3",
        "File /opt/env/lib/python3.11/site-packages/pandas/core/frame.py:12 <b>",
        "File /tmp/ipykernel_12/345.py:1",
    )
    failure = Failure("error", "ValueError", "bad <b> in /home/ada/secret/file.csv", trace, 1)
    page = page_of(
        markdown("## A"), code("f()", shown(text_html="<p>before</p>")),
        markdown("## B"), code("never"), failure=failure,
    )  # fmt: skip
    assert "before" in page and "This notebook did not run to its end" in page
    assert "<strong>ValueError</strong>: bad &lt;b&gt; in file.csv" in page
    assert "pandas/core/frame.py" in page
    assert "did not run: 1." in page and "never" not in page
    for leak in ("/home", "ada", "/opt", "site-packages", "/tmp", "\x1b"):
        assert leak not in page


def test_only_printed_page_markup_passes():
    markup = (
        '<p class="a" onclick="x" style="text-align:right;position:fixed">1<a href="http://x">l</a>'
    )
    assert safe_html(markup) == '<p class="a" style="text-align:right">1<a>l</a></p>'
    assert safe_html("<style>p{}</style><td>a<br>b</td></div>") == "<td>a<br>b</td>"
    assert safe_html("a &lt; b &amp;amp;") == "a &lt; b &amp;amp;"


def test_paths_inside_the_project_stay_readable(project):
    assert plain(f"read {project.root}/data/toy/raw/a.csv") == "read data/toy/raw/a.csv"
    assert (
        plain("see https://doi.org/10.1/var/x and a/b/c")
        == "see https://doi.org/10.1/var/x and a/b/c"
    )


def test_the_chinese_font_holds_what_the_page_shows():
    page = page_of(markdown("## 方法\n\n补救之后的满意度：“好”。"), language="zh")
    with in_language("zh"):
        css = chinese_font_css(page)
    with embedded(css) as font:
        held = set(font.getBestCmap())
    wanted = {ord(c) for c in "方法补救之后的满意度：“”。目录"}
    assert wanted <= held
    assert len(held) < 200  # a subset, not the font
    assert "@font-face" not in page_of(markdown("## Method\n\nplain"))


def test_the_maths_font_holds_roots_and_italics():
    page = page_of(markdown("## A\n\n$\\sqrt{x_h} > \\beta$"))
    body = page[page.index("<main") :]
    with embedded(math_font_css(body)) as font:
        held = set(font.getBestCmap())
        assert "MATH" in font
    assert {0x221A, 0x1D465, 0x210E, 0x1D6FD, ord(">")} <= held
