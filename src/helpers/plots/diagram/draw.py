"""The path diagram as it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

from helpers.i18n import _
from helpers.plots import describe
from helpers.plots.diagram.arrange import Arrangement, arrange, label_size
from helpers.plots.diagram.geometry import Shape
from helpers.plots.diagram.graph import Graph, read_graph
from helpers.plots.diagram.positions import NODE_SIZE, SMALL_SIZE
from helpers.plots.diagram.routes import Route
from helpers.plots.style import GREY, INK, PALETTE, attach_alt_text, house_plot, new_axes
from helpers.plots.text import wrap
from helpers.tables.numbers import format_number
from helpers.thresholds import LEVEL

MARGIN, NOTE_ROOM = 0.12, 0.28
LINE_HEIGHT = 1.25
NODE_LETTERS = 14
STRAIGHT = 1e-6  # inches


@house_plot
def plot_path_diagram(
    estimates: pd.DataFrame,
    *,
    latents: Iterable[str],
    labels: Mapping[str, str] | None = None,
    show_indicators: bool = False,
    show_covariances: bool = True,
    omit: Sequence[str] = (),
    r2: Mapping[str, float] | None = None,
    weight: str = "std_all",
    note: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw a structural model: ellipses, arrows, standardised weights on white plates.

    Columns follow the causal order (longest path), arrows cross as little as the sweeps find,
    an arrow that skips a column bends round its nodes, and weights never cover each other or a
    node: distances grow until that holds.

    Parameters
    ----------
    estimates : DataFrame
        Columns ``lhs op rhs`` and the weight; ``p_value`` (or ``ci_low ci_high``) decides
        between solid and dashed. Operators ``=~ ~ ~~`` are drawn, others passed over. One group.
    latents : iterable of str
        Names drawn as ellipses (a mapping of construct to items also serves). Everything else
        that takes part in a regression is a rectangle.
    labels : mapping, optional
        Text of nodes and indicators, in the reader's language.
    show_indicators : bool
        Draw the items with their loadings.
    show_covariances : bool
        Draw two-headed arcs between nodes.
    omit : sequence of str
        Variables left out, such as controls.
    r2 : mapping, optional
        Explained variance by node; taken from the residual variances by default.
    weight : str
        Column printed on the arrows.
    note : bool
        Print the meaning of solid and dashed lines below.
    ax : Axes, optional
        Where to draw; scaled to fit. By default a figure of the size that the model needs.

    Raises
    ------
    DataContractError
        A column is missing.
    ModelSpecError
        An unknown latent, or rows of several groups.
    """
    graph = read_graph(
        estimates, latents=latents, weight=weight, show_indicators=show_indicators,
        show_covariances=show_covariances, omit=omit, r2=r2,
    )  # fmt: skip
    names = _texts(graph, labels or {})
    arrangement = arrange(graph, names, text_inches)
    ax, scale = _canvas(arrangement, ax, note=note)
    for route, box in zip(arrangement.routes, arrangement.labels):
        _draw_arrow(ax, route, scale)
        if box is not None:
            _draw_weight(ax, route, (box.x, box.y), scale)
    for shape in arrangement.shapes.values():
        _draw_node(ax, shape, names[shape.name], scale, indicator=shape.name not in graph.nodes)
    if note:
        _draw_note(ax, arrangement, scale)
    attach_alt_text(ax, describe.path_diagram(graph, labels or {}))
    return ax


@lru_cache(maxsize=4096)
def text_inches(text: str, size: float) -> tuple[float, float]:
    """Return width and height in inches of a text of one or more lines in the house font."""
    font = FontProperties(family=tuple(mpl.rcParams["font.family"]), size=size)
    lines = text.split("\n")
    widths = [text_to_path.get_text_width_height_descent(one, font, False)[0] for one in lines]
    return max(widths) / 72, len(lines) * size * LINE_HEIGHT / 72


def _texts(graph: Graph, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every node, R² on a line of its own."""
    texts = {}
    for name in graph.nodes:
        label = labels.get(name, name)
        text = wrap(label[:1].upper() + label[1:], NODE_LETTERS)
        if name in graph.r2:
            text += "\nR² = " + format_number(graph.r2[name], bounded=True)
        texts[name] = text
    for items in graph.indicators.values():
        texts |= {item: labels.get(item, item) for item in items}
    return texts


def _canvas(arrangement: Arrangement, ax: Axes | None, *, note: bool) -> tuple[Axes, float]:
    """Return axes in inches of the arrangement, and the scale of texts and lines."""
    left, right, bottom, top = arrangement.extent
    foot = NOTE_ROOM if note else 0.0
    width, height = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN + foot
    if ax is None:
        ax = new_axes(width=max(width, 3.4), height=height)
        ax.figure.set_layout_engine("none")
        ax.set_position((0, 0, 1, 1))
    box = ax.get_position()
    figure = ax.figure.get_size_inches()
    scale = min(box.width * figure[0] / width, box.height * figure[1] / height, 1.0)
    ax.set_xlim(left - MARGIN, right + MARGIN)
    ax.set_ylim(bottom - MARGIN - foot, top + MARGIN)
    ax.set_aspect("equal", adjustable="box", anchor="C")
    ax.axis("off")
    return ax, scale


def _colour(route: Route) -> str:
    """Return the ink of an arrow: dark, warm if negative, grey if not significant."""
    edge = route.edge
    if edge.kind == "covariance" or edge.significant is False:
        return GREY
    if edge.kind == "loading":
        return "#4d4d4d"
    return PALETTE[1] if edge.weight < 0 else INK


def _vertices(points: np.ndarray) -> np.ndarray:
    """Return as few points as the eye needs: two for a straight run, every fourth of a curve."""
    chord = points[-1] - points[0]
    away = points - points[0]
    off_line = np.abs(chord[0] * away[:, 1] - chord[1] * away[:, 0]).max() / np.hypot(*chord)
    if off_line < STRAIGHT:
        return points[[0, -1]]
    return np.vstack([points[:-1:4], points[-1]])


def _draw_arrow(ax: Axes, route: Route, scale: float) -> None:
    """Draw one arrow: solid and thick if significant, dashed if not."""
    edge = route.edge
    main = edge.kind in ("path", "factor")
    if main:
        width = 1.7 if edge.significant is not False else 1.0
    else:
        width = 0.8
    head = 9.0 if main else 6.0
    ax.add_patch(
        FancyArrowPatch(
            path=Path(_vertices(route.points)),
            arrowstyle=f"{'<|-|>' if edge.kind == 'covariance' else '-|>'}"
            f",head_length={0.45},head_width={0.2}",
            mutation_scale=head * scale,
            linewidth=width * scale,
            linestyle=(0, (4, 2.5)) if edge.significant is False else "-",
            color=_colour(route),
            shrinkA=0, shrinkB=0, capstyle="butt", joinstyle="miter", zorder=2,
            gid=f"edge:{edge.tail}>{edge.head}",
        )
    )  # fmt: skip


def _draw_weight(ax: Axes, route: Route, where: tuple[float, float], scale: float) -> None:
    """Print a weight on its white plate."""
    ax.text(
        *where, route.edge.text, ha="center", va="center_baseline",
        fontsize=label_size(route.edge) * scale, color=_colour(route), zorder=4, gid="weight",
        bbox={"boxstyle": f"square,pad={0.12}", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def _draw_node(ax: Axes, shape: Shape, text: str, scale: float, *, indicator: bool) -> None:
    """Draw one node with its text."""
    box = shape.box
    look = {
        "facecolor": "white",
        "edgecolor": INK,
        "linewidth": (0.8 if indicator else 1.2) * scale,
        "zorder": 3,
        "gid": f"node:{shape.name}",
    }
    if shape.ellipse:
        ax.add_patch(Ellipse((box.x, box.y), box.width, box.height, **look))
    else:
        corner = (box.x - box.width / 2, box.y - box.height / 2)
        ax.add_patch(Rectangle(corner, box.width, box.height, **look))
    name, bar, r2 = text.partition("\nR² = ")
    size = (SMALL_SIZE if indicator else NODE_SIZE) * scale
    lines = text.count("\n") + 1
    step = NODE_SIZE * LINE_HEIGHT / 72
    top = box.y + (lines - 1) / 2 * step
    for i, one in enumerate(name.split("\n")):
        ax.text(box.x, top - i * step, one, ha="center", va="center_baseline", fontsize=size,
                zorder=5, gid="name")  # fmt: skip
    if bar:
        ax.text(box.x, top - (lines - 1) * step, "R² = " + r2, ha="center", va="center_baseline",
                fontsize=0.86 * size, color=GREY, zorder=5, gid="name")  # fmt: skip


def _draw_note(ax: Axes, arrangement: Arrangement, scale: float) -> None:
    """Print the meaning of the lines."""
    tested = [route.edge.significant for route in arrangement.routes]
    text = _("Standardised estimates.")
    if False in tested:
        text += " " + _("Solid: p < {p}; dashed: p ≥ {p}.").format(
            p=format_number(1 - LEVEL, bounded=True)
        )
    left, _right, bottom, _top = arrangement.extent
    ax.text(left, bottom - MARGIN - 0.05, text, ha="left", va="top", fontsize=7.5 * scale,
            color=GREY, gid="note")  # fmt: skip
