"""The thin layer between a notebook and the report: show results so that a renderer can read them.

A notebook calls ``begin`` once and then ``table``, ``figure``, ``say``, ``check``, ``number`` and
``check_answer`` on what it returns. Each shows its result in JupyterLab and carries the same result
as data, under one MIME type, in the notebook's outputs. Notebooks therefore write no files: whoever
renders them takes tables, figures and numbers from the outputs.

Where a study lacks what a notebook needs, ``begin`` says so in one sentence and turns the later
cells into nothing, so that the notebook ends green under papermill and in JupyterLab alike.
"""

from __future__ import annotations

import atexit
import html
import io
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython import get_ipython
from IPython.display import display

from helpers import __version__
from helpers.errors import DataContractError, ReportError, Unavailable
from helpers.i18n import _, pick, set_language
from helpers.paths import notebooks_folder
from helpers.results import Basis, CheckResult, Number, to_plain
from helpers.setup_cells import only_setup
from helpers.tables import ApaTable, apa_table
from helpers.thresholds import THRESHOLDS
from helpers.typeset import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from helpers.survey.load import Study
    from helpers.tables.calculator import Calculator

MIME = "application/vnd.service-recovery.v1+json"
"""MIME type under which every shown result carries its data."""

IMAGE_DPI = 160


class Lesson:
    """What a notebook holds after ``begin``: the study, and the ways to show results.

    Attributes
    ----------
    study : Study
        The loaded study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._ids: set[str] = set()
        self._last_lack = ""

    def table(
        self,
        data: pd.DataFrame | ApaTable | Unavailable,
        *,
        id: str,
        caption: str = "",
        columns: dict[str, Any] | None = None,
        note: str | None = None,
        definition: str = "",
    ) -> None:
        """Show a table; its unrounded values travel along.

        Parameters
        ----------
        data : DataFrame, ApaTable or Unavailable
            An ``Unavailable`` is shown as its sentence.
        id : str
            Name of the table, unique in the notebook; becomes the file name of the CSV.
        caption, note : str
            English literals in notebooks, looked up in the catalogue; or already translated.
            An ``ApaTable`` brings its own.
        columns : dict, optional
            Passed to ``helpers.tables.apa_table``.
        definition : str
            What the numbers are: formula, N, kind of standard error; an English literal.
        """
        if isinstance(data, Unavailable):
            self._unavailable(data, id)
            return
        self._claim(id)
        caption, note = _(caption), _(note) if note else None
        if isinstance(data, ApaTable):
            shown, caption, note = data, data.caption, data.note
        else:
            shown = apa_table(data, caption=caption, columns=columns, note=note)
        body = shown.html()
        if self.study.is_simulated:
            body = _stamp_caption(body)
        caption, note = shown.caption, typeset(note) if note else note
        payload = {"kind": "table", "id": id, "caption": caption, "note": note}
        payload |= {"definition": _(definition), "basis": to_plain(shown.basis or Basis())}
        payload |= {"table": to_plain(shown.to_dict())}
        payload |= {"csv": shown.csv(), "simulated": self.study.is_simulated}
        _show(payload, **{"text/html": body, "text/plain": shown.markdown()})

    def figure(
        self, axes: Axes | Figure | Unavailable, *, id: str, caption: str, alt: str = ""
    ) -> None:
        """Show a figure as SVG with its alternative text, and close it.

        Parameters
        ----------
        axes : Axes, Figure or Unavailable
            What a ``plot_*`` function returned.
        id : str
            Name of the figure, unique in the notebook; becomes the file name of the SVG.
        caption, alt : str
            Caption, and the figure told in words for those who cannot see it; by default the
            words that the ``plot_*`` function left with the axes.
        """
        if isinstance(axes, Unavailable):
            self._unavailable(axes, id)
            return
        self._claim(id)
        from helpers.plots import attached_alt_text

        caption = typeset(_(caption))
        alt = typeset(_(alt) if alt else attached_alt_text(axes))
        if not alt.strip():
            raise ReportError(f"figure: alt= of '{id}' is empty; say in words what it shows.")
        import matplotlib.pyplot as plt

        figure = _figure_of(axes)
        if self.study.is_simulated:
            _stamp_figure(figure)
        _typeset_figure(figure)
        svg = _svg(figure)
        plt.close(figure)
        payload = {"kind": "figure", "id": id, "caption": _simulated(self.study, caption)}
        payload |= {"alt": alt, "simulated": self.study.is_simulated}
        _show(payload, **{"image/svg+xml": svg, "text/plain": alt})

    def calculator(self, shown: Calculator | Unavailable, *, id: str) -> None:
        """Show sliders over scenarios: live in JupyterLab, live on a page, a table in print."""
        if isinstance(shown, Unavailable):
            self._unavailable(shown, id)
            return
        self._claim(id)
        from helpers.tables.calculator_widget import live, widget

        body, data = shown.default_html(), to_plain(shown.data)
        if self.study.is_simulated:
            body = _stamp_caption(body)
            data["words"]["legend"] += f" [{_('SIMULATED')}]"
        sentence = shown.first_sentence()
        payload = {"kind": "calculator", "id": id, "data": data}
        payload |= {"sentence": sentence, "simulated": self.study.is_simulated}
        _show(payload, **{"text/html": body, "text/plain": sentence})
        if live():
            display(widget(shown))

    def say(self, sentence: str | Unavailable, *, see: str = "") -> None:
        """Show a sentence that reads a result aloud.

        Parameters
        ----------
        sentence : str or Unavailable
        see : str
            Number of the notebook behind it, ``"70"``; its page is linked.
        """
        if isinstance(sentence, Unavailable):
            self._unavailable(sentence, "")
            return
        self._last_lack = ""
        sentence = typeset(_capital(_(sentence)))
        body = f'<p class="reading">{html.escape(sentence)}{_link(see)}</p>'
        payload = {"kind": "sentence", "text": sentence} | ({"see": see} if see else {})
        _show(payload, **{"text/html": body, "text/plain": sentence})

    def number(self, *numbers: Number) -> None:
        """Record numbers for ``results.json`` without showing them."""
        for number in numbers:
            if number.engine == "helpers" and not number.version:
                number = replace(number, version=__version__)
            number = replace(number, definition=_(number.definition))
            _show({"kind": "number", **to_plain(number)}, **{"text/plain": ""})

    def check(self, *checks: CheckResult | Unavailable) -> None:
        """Show checks as a table: name, result, value, threshold with its source."""
        rows, lost = [], []
        for check in checks:
            (lost if isinstance(check, Unavailable) else rows).append(check)
        if rows:
            words = {True: _("met"), False: _("not met"), None: _("for information")}
            table = pd.DataFrame(
                {
                    "check": [c.name for c in rows],
                    "result": [words[c.passed] for c in rows],
                    "reading": [c.text for c in rows],
                    "source": [_(c.source) for c in rows],
                }
            )
            labels = {"check": _("Check"), "result": _("Result"), "reading": _("Reading")}
            labels["source"] = _("Source of the cut-off")
            shown = apa_table(table, caption=_("Checks"), columns=labels)
            body = _stamp_caption(shown.html()) if self.study.is_simulated else shown.html()
            payload = {"kind": "checks", "checks": to_plain(rows)}
            _show(payload, **{"text/html": body, "text/plain": shown.markdown()})
        for check in lost:
            self.say(check)

    def check_answer(self, id: str, answer: object) -> None:
        """Say whether an answer to an exercise is right, or what to look at again.

        Parameters
        ----------
        id : str
            Number of the notebook and of the exercise in it, ``"30-1"``.
        answer : object
            Number, text, truth value, tuple or small table; ``...`` is no answer yet.
        """
        from helpers.exercises import grade

        shell = get_ipython()
        graded = grade(id, answer, {} if shell is None else shell.user_ns)
        self._last_lack = ""
        text = typeset(graded.text)
        body = f'<p class="answer {graded.status}">{html.escape(text)}</p>'
        payload = {"kind": "answer", "id": id, "status": graded.status, "text": text}
        _show(payload, **{"text/html": body, "text/plain": text})

    def _claim(self, id: str) -> None:
        """Keep ids unique and fit for a file name."""
        self._last_lack = ""
        if not id.replace("-", "").replace("_", "").isalnum() or not id.isascii():
            raise ReportError(
                f"lesson: id= is '{id}'; letters, digits, - and _ are allowed. Rename it."
            )
        if id in self._ids:
            raise ReportError(f"lesson: id= '{id}' is used twice in this notebook. Rename one.")
        self._ids.add(id)

    def _unavailable(self, value: Unavailable, id: str) -> None:
        """Show the sentence in place of a result; once only where it would follow itself."""
        text = typeset(value.text())
        payload = {"kind": "unavailable", "id": id, "what": value.what, "why": value.why}
        if text == self._last_lack:
            _show(payload, **{"text/plain": ""})
            return
        self._last_lack = text
        body = f'<p class="unavailable">{html.escape(text)}</p>'
        _show(payload, **{"text/html": body, "text/plain": text})


def begin(study: str, language: str = "en", *, needs: Sequence[str] = (), n_obs: int = 0) -> Lesson:
    """Open a study for a notebook, in a language, and say if the notebook does not apply.

    Parameters
    ----------
    study : str
        Name of a folder below ``data/``, with a selection as in ``load_study``.
    language : str
        ``"en"`` or ``"zh"``: language of labels, captions and sentences.
    needs : sequence of str
        What the notebook cannot do without, in the words of ``Study.offers``; ``"a|b"`` means
        either. The first that is missing is named, and the later cells do nothing.
    n_obs : int
        Respondents behind a published matrix whose source does not say; 0 takes ``study.yml``.
    """
    from helpers.survey.load import load_study

    set_language(language)
    _house_style()
    opened = load_study(study, n_obs=n_obs or None)
    lesson = Lesson(opened)
    _resume()
    missing = _first_missing(opened, needs)
    if missing is None:  # not `or`: what is unavailable counts as false
        missing = _too_few(opened, needs)
    _banner(opened)
    if missing is not None:
        _stop(missing)
    return lesson


def _first_missing(study: Study, needs: Sequence[str]) -> Unavailable | None:
    """Return the first need that a study does not meet."""
    for need in needs:
        answers = [study.offers(part) for part in need.split("|")]
        if all(answer is not None for answer in answers):
            return answers[0]
    return None


def _too_few(study: Study, needs: Sequence[str]) -> Unavailable | None:
    """Return that a selection leaves too few respondents for what the notebook does."""
    if study.selection is None:
        return None
    models = any(n.startswith("model:") or n in ("comparisons", "factors") for n in needs)
    least = THRESHOLDS["selection_for_models" if models else "group_size"]
    n = _analysed(study)
    if least.holds(n):
        return None
    what = _("an analysis of the selection {words}").format(words=study.selection.words(study))
    why = _("it leaves {n} respondents, and at least {least:g} are needed ({source})")
    return Unavailable(what, why.format(n=n, least=least.value, source=_(least.source)))


def _analysed(study: Study) -> int:
    """Return how many respondents of a selection are analysed: none where screening takes all."""
    study.marks  # noqa: B018 - what fails here is no matter of screening
    try:
        return study.cleaned.n_analysed
    except DataContractError:
        return 0


def _banner(study: Study) -> None:
    """Show which study this is, with SIMULATED where it is."""
    words = {
        "simulated": _(
            "SIMULATED data: made by a program with known truth; no real person answered."
        ),
        "survey": _("Survey data of real respondents."),
        "matrix": _("A published correlation matrix; there are no single respondents."),
    }
    text = _("{title}. {kind}").format(title=study.title, kind=words[study.spec.kind])
    if study.selection is not None:
        part = _(" Selection: {words}; {n} of {total} rows received.")
        words = study.selection.words(study)
        text += part.format(words=words, n=len(study.raw), total=study.whole_intake.n_rows)
    body = f'<p class="banner {study.spec.kind}">{html.escape(text)}</p>'
    payload = {"kind": "lesson", "study": study.id, "study_kind": study.spec.kind}
    payload |= {"title": study.title, "provenance": pick(study.spec.provenance.model_dump())}
    _show(payload, **{"text/html": body, "text/plain": text})


_HOUSE = ExitStack()
atexit.register(_HOUSE.close)  # while the modules it needs are still there


def _house_style() -> None:
    """Put the house style in force for the rest of the notebook, in the current language."""
    from helpers.plots import house_style

    _HOUSE.close()
    _HOUSE.enter_context(house_style())


def _stop(missing: Unavailable) -> None:
    """Say why the notebook ends here and turn the cells that follow into nothing."""
    text = _("This notebook does not apply to this study. {reason}").format(reason=missing.text())
    body = f'<p class="unavailable">{html.escape(text)}</p>'
    payload = {"kind": "stop", "what": missing.what, "why": missing.why, "text": text}
    _show(payload, **{"text/html": body, "text/plain": text})
    shell = get_ipython()
    if shell is None:
        raise ReportError(f"begin: {text}")
    shell.input_transformers_post.append(only_setup)


def _resume() -> None:
    """Let all cells run again, as after a change of the study in JupyterLab."""
    shell = get_ipython()
    if shell is not None and only_setup in shell.input_transformers_post:
        shell.input_transformers_post.remove(only_setup)


def _capital(sentence: str) -> str:
    """Return a sentence that begins with a word in small letters, as a label may, with a capital.

    Single letters (p, n), codes with digits and other scripts stay as they are.
    """
    return sentence[0].upper() + sentence[1:] if re.match(r"[a-z]{3,}\b", sentence) else sentence


def _link(number: str) -> str:
    """Return a link to the page of a notebook; nothing without a number."""
    if not number:
        return ""
    names = sorted(path.stem for path in notebooks_folder().glob(f"{number}_*.ipynb"))
    if not names:
        raise ReportError(f"say: see= is '{number}'; no notebook has that number. Correct it.")
    words = html.escape(_("notebook {number}").format(number=number))
    return f' <a href="{names[0]}.html">{words}</a>'


def _show(payload: dict[str, Any], **bundle: Any) -> None:
    """Display one result in every form it has."""
    display({**bundle, MIME: payload}, raw=True)


def _simulated(study: Study, caption: str) -> str:
    """Return a caption that says where its data are simulated."""
    return f"{caption} [{_('SIMULATED')}]" if study.is_simulated else caption


def _stamp_caption(body: str) -> str:
    """Mark a table's caption as simulated."""
    badge = f' <span class="simulated">[{html.escape(_("SIMULATED"))}]</span></caption>'
    return body.replace("</caption>", badge, 1)


def _stamp_figure(figure: Figure) -> None:
    """Write SIMULATED above the upper right corner of a figure, where nothing else can stand."""
    figure.text(1.0, 1.0, _("SIMULATED"), ha="right", va="bottom", fontsize=6, color="#8a5a00")


def _typeset_figure(figure: Figure) -> None:
    """Set the Chinese texts of a figure with the signs of Chinese print."""
    from matplotlib.text import Text

    for drawn in figure.findobj(Text):
        text = drawn.get_text()
        if (right := typeset(text)) != text:
            drawn.set_text(right)


def _figure_of(axes: Axes | Figure) -> Figure:
    """Return the figure that holds the axes."""
    return getattr(axes, "figure", axes)


def _svg(figure: Figure) -> str:
    """Return a figure as SVG; the same figure gives the same text."""
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "service-recovery"}):
        metadata = {"Date": None, "Creator": None}
        # The resolution is that of images within the drawing, such as a map of correlations.
        figure.savefig(buffer, format="svg", dpi=IMAGE_DPI, bbox_inches="tight", metadata=metadata)
    return buffer.getvalue().decode("utf-8")
