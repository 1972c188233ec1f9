"""House style: palette, sizes, fonts, and the frame that every plot function shares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, ParamSpec
from weakref import WeakKeyDictionary

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.errors import ReportError, Unavailable, listing, nearest
from helpers.plots.fonts import register_fonts

P = ParamSpec("P")
Size = Literal["single", "wide"]

# Inches. One column of a journal page is about 90 mm, the full page about 180 mm; the single
# figure is a little wider than a column because category labels are sentences.
SIZES: dict[str, tuple[float, float]] = {"single": (4.6, 3.1), "wide": (7.2, 3.8)}

# Okabe & Ito (2008), "Color universal design": told apart with every common colour blindness.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
# Room above the axes for the word that marks simulated data.
STAMP_INCHES = 0.11
INK, GREY, PALE, FILL = "#1a1a1a", "#6b6b6b", "#d9d9d9", "#f4f6f8"


_in_force: ContextVar[bool] = ContextVar("house_style", default=False)
_alt_texts: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()


def _settings(size: Size) -> dict[str, Any]:
    """Return the rcParams of the house style."""
    return {
        "font.family": list(register_fonts()),
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#4d4d4d",
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "axes.prop_cycle": mpl.cycler(color=PALETTE),
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.6,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "xtick.color": "#4d4d4d",
        "ytick.color": "#4d4d4d",
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.color": INK,
        # A dollar sign in an item's wording is money, not mathematics.
        "text.parse_math": False,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "lines.linewidth": 1.4,
        "lines.markersize": 5,
        "figure.figsize": SIZES[size],
        "figure.facecolor": "white",
        "figure.dpi": 110,
        "savefig.dpi": 220,
        "savefig.facecolor": "white",
        "svg.fonttype": "path",
        # Same picture, same bytes.
        "svg.hashsalt": "house",
    }


@contextmanager
def house_style(size: Size = "single") -> Iterator[None]:
    """Draw in the style of the suite inside a ``with`` block.

    Parameters
    ----------
    size : {"single", "wide"}
        Width of new figures: one column or the whole page.

    Raises
    ------
    ReportError
        An unknown size.

    Examples
    --------
    >>> with house_style("wide"):
    ...     width = mpl.rcParams["figure.figsize"][0]
    >>> width
    7.2
    """
    if size not in SIZES:
        raise ReportError(
            f"house_style: size= is '{size}'; allowed are {listing(SIZES)}."
            f"{nearest(str(size), SIZES)} Choose one of them."
        )
    before = _in_force.get()
    _in_force.set(True)
    try:
        with mpl.rc_context(_settings(size)):
            yield
    finally:
        _in_force.set(before)


def house_plot(function: Callable[P, Axes]) -> Callable[P, Axes]:
    """Decorate a plot function: house style inside, fonts fixed for the time of drawing.

    A notebook draws a figure after the cell has ended, outside any ``with`` block, and matplotlib
    makes tick labels only then; so their font is written into the axes here. Data that are
    ``Unavailable`` come back as they are.
    """

    @functools.wraps(function)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Axes:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Unavailable):
                return value  # shown by the caller as its sentence
        if _in_force.get():
            return _fix_ticks(function(*args, **kwargs))
        with house_style():
            return _fix_ticks(function(*args, **kwargs))

    return styled


def _fix_ticks(ax: Axes) -> Axes:
    """Write the font into the tick settings of every axes of the figure."""
    for one in ax.figure.axes:
        one.tick_params(labelfontfamily=register_fonts())
    return ax


def new_axes(*, width: float | None = None, height: float | None = None) -> Axes:
    """Return the axes of a new figure in the current size; inches override it."""
    default = mpl.rcParams["figure.figsize"]
    size = (width or default[0], height or default[1])
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    share = STAMP_INCHES / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - share))
    return ax


def attach_alt_text(ax: Axes, text: str) -> None:
    """Keep the sentence that stands for a picture with its axes."""
    _alt_texts[ax] = text


def attached_alt_text(what: Axes | Figure) -> str:
    """Return the sentences kept with an axes, or with all axes of a figure."""
    axes = what.axes if isinstance(what, Figure) else [what]
    return " ".join(_alt_texts[ax] for ax in axes if ax in _alt_texts)
