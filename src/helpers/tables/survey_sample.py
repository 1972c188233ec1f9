"""Tables, sentences and checks of the sample and of the items."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.errors import DataContractError, Unavailable, passes_unavailable
from helpers.i18n import _, pick
from helpers.results import CheckResult, Number
from helpers.survey.describe import (
    answer_shares,
    describe_items,
    describe_numbers,
    describe_sample,
)
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import Study
from helpers.survey.normality import MardiaResult, mardia_test
from helpers.survey.privacy import k_anonymity, least_cell
from helpers.survey.scoring import items_for
from helpers.survey.small_cells import GuardedTable, guard_small_cells
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.tables.survey_cleaning import percent_interval
from helpers.thresholds import LEVEL, THRESHOLDS


def background_items(study: Study, kinds: tuple[str, ...]) -> list[str]:
    """Return background questions of some scale kinds: controls and groupings, once each."""
    named = [*study.spec.controls, *(g.item for g in study.spec.groups.values())]
    return [
        item
        for item in dict.fromkeys(named)
        if item in study.responses and study.scale_of(item).kind in kinds
    ]


def sample_counts(study: Study) -> pd.DataFrame | Unavailable:
    """Return counts and shares of the background questions with categories."""
    items = background_items(study, ("category",))
    if not items:
        return Unavailable(
            _("a table of background questions"),
            _("the study file names no category among its controls and groupings"),
        )
    return describe_sample(study.folder, study.responses, items=items)


def sample_table(counts: pd.DataFrame | Unavailable, study: Study) -> ApaTable | Unavailable:
    """Return the sample in categories, one section a question."""
    if isinstance(counts, Unavailable):
        return counts
    percent = ["share", "ci_low", "ci_high"]
    return apa_table(
        counts.assign(**{c: 100 * counts[c] for c in percent}),
        caption=_("The sample"),
        columns=[
            Column("category", _("Category"), "text"),
            Column("n", "n", "integer"),
            Column("share", "%", "number", 1),
            interval_column(decimals=1),
        ],
        section="item",
        note=_(
            "Percent of those who answered, with Wilson's interval. Categories with fewer than {k} "
            "persons are merged."
        ).format(k=least_cell(study)),
    )


def sample_sentence(study: Study, counts: pd.DataFrame | Unavailable, question: int = 0) -> str:
    """Read the largest category of one question, by position, aloud."""
    n = len(study.responses)
    if isinstance(counts, Unavailable):
        return _("The sample holds {n} respondents; their background was not asked.").format(n=n)
    one = sample_picture(counts, question)
    top = one.loc[one["n"].idxmax()]
    return _(
        "Of {n} who answered \"{question}\", the largest group is \"{category}\" with {share} "
        "({level:.0%} CI {ci})."
    ).format(
        n=int(one["n"].sum()), question=top["item"], category=top["category"],
        share=format_percent(top["share"], 1), level=LEVEL,
        ci=percent_interval(top["ci_low"], top["ci_high"]),
    )  # fmt: skip


def sample_picture(counts: pd.DataFrame | Unavailable, question: int) -> pd.DataFrame | Unavailable:
    """Return one question, by position, for a figure; after the last comes the first again."""
    if isinstance(counts, Unavailable):
        return counts
    questions = list(dict.fromkeys(counts["item"]))
    return counts[counts["item"] == questions[question % len(questions)]]


def numbers_table(study: Study) -> ApaTable | Unavailable:
    """Return the background questions answered by a number."""
    items = background_items(study, ("number",))
    if not items:
        return Unavailable(
            _("a table of numeric background questions"),
            _("the study file names no number among its controls"),
        )
    return apa_table(
        describe_numbers(study.responses, items=items, folder=study.folder),
        caption=_("Background questions answered by a number"),
        columns=[
            Column("item", _("Question"), "text"),
            Column("n", "n", "integer"),
            Column("mean", "M", "number", 1),
            interval_column(decimals=1),
            Column("sd", "SD", "number", 1),
            Column("q1", _("First quartile"), "number", 1),
            Column("median", _("Median"), "number", 1),
            Column("q3", _("Third quartile"), "number", 1),
        ],
        note=_("Least and largest values are single persons and are not shown."),
    )


def numbers_sentence(study: Study) -> str | Unavailable:
    """Read the first numeric background question aloud."""
    items = background_items(study, ("number",))
    if not items:
        return Unavailable(
            _("a mean of the background"), _("the study file names no number among its controls")
        )
    row = describe_numbers(study.responses, items=items[:1], folder=study.folder).iloc[0]
    return _("\"{question}\": the mean is {mean} ({level:.0%} CI {ci}, n = {n}).").format(
        question=row["item"], mean=format_number(row["mean"], 1), level=LEVEL,
        ci=format_interval(row["ci_low"], row["ci_high"], 1), n=int(row["n"]),
    )  # fmt: skip


def group_checks(study: Study) -> list[CheckResult | Unavailable]:
    """Check that the groups of each grouping are large enough to be compared."""
    least = THRESHOLDS["group_size"]
    checks: list[CheckResult | Unavailable] = []
    for grouping in study.spec.groups.values():
        title = pick(grouping.title.model_dump())
        counts = study.labelled(grouping.item).value_counts()
        if counts.empty:
            checks.append(Unavailable(title, _("nobody answered")))
            continue
        small = counts[(counts > 0) & (counts < least.value)]
        fewest, k = int(counts[counts > 0].min()), least_cell(study)
        text = _(
            "The smallest group has {n} people; groups with fewer than {least}: {few}."
        ).format(
            n=fewest if fewest >= k else f"< {k}", few=len(small), least=int(least.value)
        )  # fmt: skip
        name = _("Groups large enough: {title}").format(title=title)
        smallest = float(fewest) if fewest >= k else None
        checks.append(CheckResult(name, small.empty, smallest, least.value, _(least.source), text))
    return checks or [Unavailable(_("a check of groups"), _("the study names no grouping"))]


def anonymity_check(study: Study) -> CheckResult:
    """Check whether the background questions together single out respondents."""
    found = k_anonymity(study)
    return CheckResult(
        _("Nobody stands out by the background questions"),
        found.reached if found.columns else None,
        float(found.smallest), float(found.k), "Sweeney (2002), doi:10.1142/S0218488502001648",
        found.text() + " " + _(
            "Rows of single respondents must not be passed on where somebody stands out; tables "
            "show merged or hidden cells."
        ),
    )  # fmt: skip


def crossed_counts(study: Study, groupings: str = "") -> GuardedTable | Unavailable:
    """Return the counts of two groupings, small ones hidden so that margins do not tell them.

    Parameters
    ----------
    study : Study
    groupings : str
        Two groupings of the study file, joined by a comma; the first two if empty.
    """
    wanted = [g.strip() for g in groupings.split(",") if g.strip()] or list(study.spec.groups)[:2]
    for name in wanted:
        lacking = study.offers(f"group:{name}")
        if lacking is not None:
            return lacking
    if len(wanted) != 2:
        return Unavailable(
            _("a table of two groupings"), _("the study names fewer than two, or another number")
        )
    labels = study.groups
    counts = pd.crosstab(labels[wanted[0]], labels[wanted[1]], dropna=False)
    counts = counts.loc[counts.index.notna(), counts.columns.notna()]
    guarded = guard_small_cells(counts, least_cell(study))
    titles = [pick(study.spec.groups[name].title.model_dump()) for name in wanted]
    guarded.table.index.name, guarded.table.columns.name = titles
    return guarded


@passes_unavailable
def crossed_table(counts: GuardedTable) -> ApaTable:
    """Return two groupings crossed; hidden counts are dashes."""
    shown = counts.table
    rows = pd.DataFrame(
        {"group": [str(i) for i in shown.index]}
        | {f"c{j}": shown.iloc[:, j].to_numpy() for j in range(shown.shape[1])}
    )
    columns = [Column("group", str(shown.index.name), "text")]
    columns += [Column(f"c{j}", str(name), "integer") for j, name in enumerate(shown.columns)]
    return apa_table(
        rows,
        caption=_("Respondents by {first} and {second}").format(
            first=shown.index.name, second=shown.columns.name
        ),
        columns=columns,
        note=counts.note() or _("No count had to be hidden."),
    )


@passes_unavailable
def crossed_sentence(counts: GuardedTable) -> str:
    """Read aloud the largest cell and how many are hidden."""
    if counts.table.isna().to_numpy().all():
        return _("All {all} cells are hidden: the groups are too small to be crossed.").format(
            all=counts.table.size
        )
    place = counts.table.stack().idxmax()
    return _(
        
            "The largest cell is \"{first}\" with \"{second}\": respondents: {n}; cells hidden:"
            " {hidden} of {all}."
        
    ).format(
        first=place[0], second=place[1], n=int(counts.table.loc[place]), hidden=counts.n_hidden,
        all=counts.table.size,
    )  # fmt: skip


def items_described(study: Study, construct: str, items: list[str]) -> pd.DataFrame:
    """Describe the items of one construct, or with ``"all"`` the items given."""
    chosen = items if construct == "all" else items_for(study.folder, construct)
    return describe_items(study.folder, study.responses, items=chosen)


def items_table(study: Study, described: pd.DataFrame) -> ApaTable:
    """Return the items with their wording and moments, one section a construct."""
    named = described["construct"].map(lambda c: study.construct_name(c) if c else "–")
    table = described.assign(construct=named, wording=described["item"].map(study.wording))
    return apa_table(
        table,
        caption=_("Items: wording, mean, spread and shape"),
        columns=[
            Column("item", _("Item"), "text"),
            Column("wording", _("Wording"), "text"),
            Column("n", "n", "integer"),
            Column("mean", "M", "number"),
            interval_column(),
            Column("sd", "SD", "number"),
            Column("skewness", _("Skewness"), "number"),
            Column("kurtosis", _("Excess kurtosis"), "number"),
            Column("floor", _("Floor"), "percent", 1),
            Column("ceiling", _("Ceiling"), "percent", 1),
        ],
        section="construct",
        note=_("Reverse-worded items are turned: a high answer means more of the construct."),
    )


def items_sentence(study: Study, described: pd.DataFrame) -> str:
    """Read the item with the highest mean aloud."""
    top = described.loc[described["mean"].idxmax()]
    scale = study.scale_of(top["item"])
    return _(
        "{item} has the highest mean, {mean} on a scale of {low:g} to {high:g} "
        "({level:.0%} CI {ci}, n = {n})."
    ).format(
        item=top["item"], mean=format_number(top["mean"]), low=scale.low, high=scale.high,
        level=LEVEL, ci=format_interval(top["ci_low"], top["ci_high"]), n=int(top["n"]),
    )  # fmt: skip


def item_shares(study: Study, described: pd.DataFrame) -> pd.DataFrame:
    """Return how the answers spread, for a figure."""
    return answer_shares(study.folder, study.responses, items=list(described["item"]))


def scale_labels(study: Study, items: Sequence[str]) -> dict[float, str]:
    """Return the labels of the ends of the items' scale, for a figure; none if scales differ."""
    scale, *others = [study.scale_of(item) for item in items]
    if any(other != scale for other in others):
        return {}
    return {
        float(code): pick(b.model_dump())
        for code, b in scale.labels.items()
        if code in (scale.low, scale.high)
    }


def joint_normality(study: Study, items: list[str]) -> MardiaResult | Unavailable:
    """Return Mardia's test of some items, or why these cannot be tested together."""
    varied = [item for item in items if study.responses[item].std() > 0]
    try:
        return mardia_test(study.responses, items=varied)
    except DataContractError as error:
        return Unavailable(_("Mardia's test"), str(error))


@passes_unavailable
def mardia_sentence(result: MardiaResult) -> str:
    """Read Mardia's test aloud."""
    return result.text()


@passes_unavailable
def mardia_table(result: MardiaResult) -> ApaTable:
    """Return Mardia's measures."""
    return apa_table(
        result.table(),
        caption=_("Mardia's test of multivariate normality"),
        columns=[
            Column("measure", _("Measure"), "text"),
            Column("estimate", _("Estimate"), "number"),
            Column("expected", _("Under normality"), "number"),
            Column("statistic", _("Statistic"), "number", 1),
            Column("df", "df", "integer"),
            Column("p_value", "p", "p"),
        ],
        note=_(
            "Complete rows, n = {n}. Statistic: chi-square for skewness, z for kurtosis."
        ).format(n=result.n_used),
    )


def mardia_numbers(result: MardiaResult | Unavailable) -> list[Number]:
    """Return Mardia's measures for ``results.json``."""
    if isinstance(result, Unavailable):
        return []
    n = result.n_used
    return [
        Number("mardia_skewness", result.skewness, "b1p, covariance with divisor n", n_used=n),
        Number("mardia_kurtosis", result.kurtosis, "b2p, covariance with divisor n", n_used=n),
        Number(
            "mardia_kurtosis_z", result.kurtosis_z, "(b2p - p(p+2)) / sqrt(8p(p+2)/n)", n_used=n
        ),
    ]


def item_checks(described: pd.DataFrame) -> list[CheckResult]:
    """Check skewness, kurtosis, floor and ceiling of the items."""
    limits = [
        (_("Skewness within bounds"), "skewness", described["skewness"].abs()),
        (_("Kurtosis within bounds"), "kurtosis", described["kurtosis"].abs()),
        (_("No floor"), "floor_ceiling", described["floor"]),
        (_("No ceiling"), "floor_ceiling", described["ceiling"]),
    ]
    checks = []
    for name, cut, values in limits:
        limit = THRESHOLDS[cut]
        over = described.loc[~values.map(limit.holds), "item"]
        text = _("Largest value {value} ({item}); items above {limit:g}: {n} of {k}.").format(
            value=format_number(values.max()), item=described.loc[values.idxmax(), "item"],
            n=len(over), k=len(described), limit=limit.value,
        )  # fmt: skip
        checks.append(
            CheckResult(name, over.empty, float(values.max()), limit.value, _(limit.source), text)
        )
    return checks


def shares_sentence(shares: pd.DataFrame) -> str:
    """Read the most frequent single answer aloud."""
    top = shares.loc[shares["share"].idxmax()]
    n = int(shares.loc[shares["item"] == top["item"], "n"].sum())
    low, high = wilson_interval(int(top["n"]), n)
    return _(
        "The most frequent single answer is {answer:g} to {item}, given by {share} of {n} "
        "({level:.0%} CI {ci})."
    ).format(
        answer=top["answer"], item=top["item"], share=format_percent(top["share"], 1), n=n,
        level=LEVEL, ci=percent_interval(low, high),
    )  # fmt: skip
