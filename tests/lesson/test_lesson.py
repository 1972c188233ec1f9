"""Contract: what a notebook shows carries its data, and a study that lacks something ends green."""

import copy
import json
import pickle

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers import __version__
from helpers import lesson as lessons
from helpers.errors import CodebookError, ReportError, Unavailable
from helpers.i18n import in_language
from helpers.lesson import MIME, Lesson, begin
from helpers.results import CheckResult, Number


class FakeStudy:
    """As much of a study as the display layer asks for."""

    def __init__(self, simulated=False):
        self.is_simulated = simulated


@pytest.fixture
def shown(monkeypatch):
    """Collect what would be displayed."""
    bundles = []
    monkeypatch.setattr(lessons, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def table():
    return pd.DataFrame({"item": ["=1+1", "b"], "estimate": [0.123456789, 2.0]})


class TestTable:
    def test_carries_unrounded_values_and_a_display(self, shown):
        Lesson(FakeStudy()).table(table(), id="t", caption="A table")
        payload = shown[0][MIME]
        assert payload["table"]["rows"][0]["estimate"] == 0.123456789
        assert "0.12" in shown[0]["text/html"]
        json.dumps(payload)

    def test_simulated_data_are_marked(self, shown):
        Lesson(FakeStudy(simulated=True)).table(table(), id="t", caption="A table")
        assert "SIMULATED" in shown[0]["text/html"]
        assert shown[0][MIME]["simulated"] is True

    def test_real_data_are_not(self, shown):
        Lesson(FakeStudy()).table(table(), id="t", caption="A table")
        assert "SIMULATED" not in shown[0]["text/html"]

    def test_csv_cannot_run_as_a_formula(self, shown):
        Lesson(FakeStudy()).table(table(), id="t", caption="A table")
        assert "'=1+1" in shown[0][MIME]["csv"]

    def test_what_is_not_available_is_its_sentence(self, shown):
        Lesson(FakeStudy()).table(Unavailable("the table", "x < 1"), id="t", caption="A table")
        assert shown[0][MIME]["kind"] == "unavailable"
        assert "because x &lt; 1" in shown[0]["text/html"]

    def test_the_same_lack_is_said_once_in_a_row(self, shown):
        lesson = Lesson(FakeStudy())
        lack = Unavailable("the table", "there is none")
        lesson.table(lack, id="t", caption="A table")
        lesson.say(lack)
        assert "text/html" in shown[0]
        assert "text/html" not in shown[1]
        lesson.table(table(), id="u", caption="A table")
        lesson.say(lack)
        assert "text/html" in shown[3]

    @pytest.mark.parametrize("name", ["../up", "a b", "表", ""])
    def test_an_id_that_is_no_file_name_is_refused(self, shown, name):
        with pytest.raises(ReportError, match="id="):
            Lesson(FakeStudy()).table(table(), id=name, caption="A table")

    def test_an_id_may_be_used_once(self, shown):
        lesson = Lesson(FakeStudy())
        lesson.table(table(), id="t", caption="A table")
        with pytest.raises(ReportError, match="used twice"):
            lesson.table(table(), id="t", caption="A table")


class TestFigure:
    def draw(self):
        _figure, ax = plt.subplots()
        ax.plot([0, 1], [0, 1])
        return ax

    def test_gives_the_same_bytes_twice_and_closes(self, shown):
        for name in ("a", "b"):
            Lesson(FakeStudy()).figure(self.draw(), id=name, caption="A line", alt="It rises.")
        assert shown[0]["image/svg+xml"] == shown[1]["image/svg+xml"]
        assert not plt.get_fignums()

    def test_without_words_for_it_is_refused(self, shown):
        with pytest.raises(ReportError, match="alt="):
            Lesson(FakeStudy()).figure(self.draw(), id="a", caption="A line")
        plt.close("all")


def test_a_sentence_is_escaped(shown):
    Lesson(FakeStudy()).say("<script>alert(1)</script>")
    assert "<script>" not in shown[0]["text/html"]


@pytest.mark.parametrize(
    ("given", "shown_as"),
    [
        ("follow-up stands last.", "Follow-up stands last."),
        ("p = .03 is small.", "p = .03 is small."),
        ("sat1 is left out.", "sat1 is left out."),
        ("eWOM leads.", "eWOM leads."),
        ("及时性居首。", "及时性居首。"),
    ],
)
def test_a_label_at_the_start_of_a_sentence_gets_a_capital(shown, given, shown_as):
    Lesson(FakeStudy()).say(given)
    assert shown[0][MIME]["text"] == shown_as


def test_numbers_are_recorded_without_being_shown(shown):
    Lesson(FakeStudy()).number(Number("alpha", 0.8, "coefficient alpha"))
    assert shown[0][MIME]["value"] == 0.8
    assert "text/html" not in shown[0]


def test_a_number_names_the_version_that_computed_it(shown):
    Lesson(FakeStudy()).number(
        Number("alpha", 0.8, "coefficient alpha"),
        Number("chisq", 3.0, "chi-square", engine="semopy", version="2.3.11"),
    )
    assert [s[MIME]["version"] for s in shown] == [__version__, "2.3.11"]


def test_checks_keep_their_verdict_in_both_languages(shown):
    with in_language("zh"):
        Lesson(FakeStudy()).check(CheckResult("CFI", False, 0.8, 0.95), Unavailable("x", "y"))
    assert shown[0][MIME]["checks"][0]["passed"] is False
    assert "不符合" in shown[0]["text/html"]
    assert shown[1][MIME]["kind"] == "unavailable"


class TestStop:
    @pytest.fixture
    def shell(self):
        shell = InteractiveShell.instance()
        yield shell
        InteractiveShell.clear_instance()

    def test_later_cells_do_nothing_and_another_study_wakes_them(self, shell, monkeypatch):
        monkeypatch.setattr(lessons, "get_ipython", lambda: shell)
        start = "from helpers.lesson import begin\nlesson = begin('{}', needs=['matrix'])"
        assert shell.run_cell(start.format("online_shopping")).success
        assert shell.run_cell("ran = 1 + 1").success
        assert "ran" not in shell.user_ns
        assert shell.run_cell("study = 'x'").success
        assert shell.user_ns["study"] == "x"
        assert shell.run_cell(start.format("maxham_netemeyer_2003")).success
        shell.run_cell("ran = 1 + 1")
        assert shell.user_ns["ran"] == 2

    def test_outside_a_notebook_it_is_an_error(self, shown):
        with pytest.raises(ReportError, match="does not apply"):
            begin("online_shopping", needs=["matrix"])

    def test_either_of_two_needs_is_enough(self, shown):
        assert begin("online_shopping", needs=["matrix|rows"]).study.id == "online_shopping"


def test_a_part_that_screening_empties_is_too_small_and_no_fault(shown):
    # Two rows: a preview and a failed attention check.
    terms = "failure_type = 5 and platform = 4 and customer_type = 3"
    with pytest.raises(ReportError, match="it leaves 0 respondents, and at least 30 are needed"):
        begin(f"online_shopping where {terms}", needs=["rows"])


def test_a_part_of_what_is_not_available_says_why():
    lack = Unavailable("the fit", "rows have blanks")
    with pytest.raises(AttributeError, match="because rows have blanks. So it has no 'estimates'"):
        lack.estimates  # noqa: B018
    assert pickle.loads(pickle.dumps(lack)) == copy.deepcopy(lack) == lack
    assert not hasattr(lack, "_repr_html_")
    assert Unavailable("the fit", "fit: missing= is 'x'. Use 'y'.").text().endswith("Use 'y'.")


def test_unknown_study_names_the_known_ones():
    with pytest.raises(CodebookError, match="Did you mean 'online_shopping'"):
        begin("online_shoping")


def test_unknown_language_is_refused():
    with pytest.raises(ReportError, match="allowed are en, zh"):
        begin("online_shopping", "de")
