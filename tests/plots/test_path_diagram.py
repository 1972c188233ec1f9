"""Property: in every diagram no weight covers a weight or a node, and no arrow runs over a node.

The boxes are measured on the finished picture by matplotlib's renderer, not taken from the layout.
"""

import importlib.util
from functools import cache
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.path import Path as Path_

from helpers.errors import DataContractError, ModelSpecError
from helpers.i18n import in_language
from helpers.plots import attached_alt_text, plot_path_diagram
from helpers.plots.diagram.graph import read_graph
from helpers.plots.diagram.layers import crossings, make_columns

_spec = importlib.util.spec_from_file_location(
    "diagram_models", Path(__file__).with_name("diagram_models.py")
)
models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(models)
MODELS = models.MODELS

PIXEL = 1.0  # the renderer rounds text boxes to whole pixels
HANZI = "感知服务补救公平满意忠诚口碑信任品牌形象情绪价值期望质量"


@cache
def picture(name, **options):
    """Return one finished picture; several tests look at the same."""
    estimates, latents = MODELS[name]()
    ax = plot_path_diagram(estimates, latents=latents, **options)
    ax.figure.canvas.draw()
    return ax


def text_boxes(ax, gid):
    return [t.get_window_extent() for t in ax.texts if t.get_gid() == gid]


def nodes(ax):
    found = [p for p in ax.patches if (p.get_gid() or "").startswith("node:")]
    return {p.get_gid().removeprefix("node:"): p for p in found}


def overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > PIXEL and min(a.y1, b.y1) - max(a.y0, b.y0) > PIXEL


def corners_and_edges(box):
    x, y = (
        np.linspace(box.x0 + PIXEL, box.x1 - PIXEL, 12),
        np.linspace(box.y0 + PIXEL, box.y1 - PIXEL, 6),
    )
    return np.array([(i, j) for i in x for j in y])


def inside(patch, points):
    return patch.get_path().contains_points(points, patch.get_transform())


def along(path):
    """Points along every piece of a path, closer together than any node is wide."""
    pieces = [
        np.linspace(a, b, 50)
        for a, b, code in zip(path.vertices, path.vertices[1:], path.codes[1:])
        if code not in (Path_.MOVETO, Path_.CLOSEPOLY)
    ]
    return np.vstack(pieces)


CASES = [(name, items) for name in MODELS for items in (False, True)]


@pytest.mark.parametrize(("name", "items"), CASES)
def test_no_weight_covers_a_weight_or_a_node(name, items):
    ax = picture(name, show_indicators=items)
    boxes = text_boxes(ax, "weight")
    assert boxes
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if overlap(a, b)]
    assert not pairs
    for box in boxes:
        for node, patch in nodes(ax).items():
            assert not inside(patch, corners_and_edges(box)).any(), node


@pytest.mark.parametrize(("name", "items"), CASES)
def test_no_arrow_runs_over_a_node(name, items):
    ax = picture(name, show_indicators=items)
    for arrow in (p for p in ax.patches if (p.get_gid() or "").startswith("edge:")):
        points = ax.transData.transform(along(arrow.get_path()))
        for node, patch in nodes(ax).items():
            assert not inside(patch, points).any(), (arrow.get_gid(), node)


@pytest.mark.parametrize(("name", "items"), CASES)
def test_nodes_stand_apart_and_hold_their_names(name, items):
    ax = picture(name, show_indicators=items)
    patches = list(nodes(ax).values())
    boxes = [p.get_window_extent() for p in patches]
    assert not [1 for i, a in enumerate(boxes) for b in boxes[i + 1 :] if overlap(a, b)]
    for text in text_boxes(ax, "name"):
        corners = np.array([(x, y) for x in (text.x0, text.x1) for y in (text.y0, text.y1)])
        assert any(inside(patch, corners).all() for patch in patches)


def test_every_estimate_is_on_the_picture():
    ax = picture("seven", show_indicators=True)
    estimates, latents = MODELS["seven"]()
    drawn = estimates[estimates["lhs"] != estimates["rhs"]]
    edges = [p for p in ax.patches if (p.get_gid() or "").startswith("edge:")]
    assert len(edges) == len(drawn)
    assert set(nodes(ax)) == set(latents) | {item for items in latents.values() for item in items}
    assert [t.get_text() for t in ax.texts if "R²" in t.get_text()] == ["R² = .51"]


def test_significance_shows_in_the_line():
    ax = picture("three")
    style = {p.get_gid(): (p.get_linestyle(), p.get_linewidth()) for p in ax.patches}
    assert style["edge:REC>SAT"][0] == "-"
    assert style["edge:REC>LOY"][0] != "-"
    assert style["edge:REC>SAT"][1] > style["edge:REC>LOY"][1]


def test_chinese_labels_need_no_system_font():
    estimates, latents = MODELS["justice"]()
    labels = {name: HANZI[i : i + 4 + i] for i, name in enumerate(latents)}
    with in_language("zh"):
        ax = plot_path_diagram(estimates, latents=latents, labels=labels)
        ax.figure.canvas.draw()
        assert "路径图" in attached_alt_text(ax)
    families = {t.get_fontfamily()[0] for t in ax.texts}
    assert families == {"Noto Sans SC Subset"}


def test_a_planar_model_is_drawn_without_crossings():
    estimates, latents = MODELS["seven"]()
    graph = read_graph(estimates, latents=latents)
    columns = make_columns(graph)
    place = columns.column_of()
    segments = []
    for edge in graph.of_kind("path"):
        chain = (edge.tail, *columns.dummies.get((edge.tail, edge.head), ()), edge.head)
        segments += list(zip(chain, chain[1:]))
    assert all(place[head] == place[tail] + 1 for tail, head in segments)
    assert crossings(columns.order, segments) == 0


def test_crossings_are_counted_by_hand():
    assert crossings([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")]) == 1
    assert crossings([["a", "b"], ["c", "d"]], [("a", "c"), ("b", "d"), ("a", "d")]) == 0


def test_given_axes_are_used_and_scaled():
    _figure, axes = plt.subplots(1, 2, figsize=(6, 2))
    estimates, latents = MODELS["seven"]()
    assert plot_path_diagram(estimates, latents=latents, ax=axes[1]) is axes[1]
    assert not axes[0].patches
    boxes = text_boxes(axes[1], "weight")
    assert not [1 for i, a in enumerate(boxes) for b in boxes[i + 1 :] if overlap(a, b)]


def test_global_settings_stay():
    before = dict(mpl.rcParams)
    picture("three")
    assert dict(mpl.rcParams) == before


def test_the_order_of_rows_does_not_matter_for_what_is_drawn():
    estimates, latents = MODELS["chain"]()
    one = plot_path_diagram(estimates, latents=latents)
    other = plot_path_diagram(estimates.iloc[::-1], latents=latents)
    gids = [{p.get_gid() for p in ax.patches} for ax in (one, other)]
    assert gids[0] == gids[1]


def test_wrong_input_is_named():
    estimates, latents = MODELS["three"]()
    with pytest.raises(DataContractError, match="'std_all' is needed"):
        plot_path_diagram(estimates.drop(columns="std_all"), latents=latents)
    with pytest.raises(ModelSpecError, match="names 'LOI'.*Did you mean 'LOY'"):
        plot_path_diagram(estimates, latents=["REC", "LOI"])
    both = estimates.assign(group=[1, 2] * (len(estimates) // 2) + [1] * (len(estimates) % 2))
    with pytest.raises(ModelSpecError, match="one group is needed"):
        plot_path_diagram(both, latents=latents)


@pytest.mark.parametrize("seed", range(6))
def test_random_models_are_drawn_clear(seed):
    """Up to twelve latents with random paths: what holds for the seven models holds here."""
    rng = np.random.default_rng(seed)
    names = [f"L{i}" for i in range(rng.integers(4, 13))]
    pairs = [(names[i], names[j]) for j in range(1, len(names)) for i in range(j)]
    chosen = [pair for pair in pairs if rng.random() < 1.4 * 2 / len(names)]
    estimates = models.table(
        models.items(names, 3),
        [(tail, head, float(rng.uniform(-0.7, 0.9)), 0.01) for tail, head in chosen],
        r2=dict.fromkeys(names, 0.3),
    )
    ax = plot_path_diagram(estimates, latents=names)
    ax.figure.canvas.draw()
    boxes = text_boxes(ax, "weight")
    assert len(boxes) == len(chosen)
    assert not [1 for i, a in enumerate(boxes) for b in boxes[i + 1 :] if overlap(a, b)]
    for patch in nodes(ax).values():
        assert not any(inside(patch, corners_and_edges(box)).any() for box in boxes)
