"""Tables, sentences and checks of cleaning and of missing answers."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, listing
from helpers.i18n import _
from helpers.results import CheckResult, Number
from helpers.survey.intervals import wilson_interval
from helpers.survey.load import Study
from helpers.survey.readers import Intake
from helpers.survey.screening import Cleaned
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column, interval_column
from helpers.tables.numbers import format_interval, format_number, format_percent
from helpers.thresholds import LEVEL, THRESHOLDS


def mark_label(mark: str) -> str:
    """Return a mark's, or a rule's (``exclusion_rules``), name in the current language."""
    names = {
        "preview": _("Preview"),
        "no_consent": _("No consent"),
        "screened_out": _("Outside the population"),
        "unfinished": _("Unfinished"),
        "duplicate": _("Duplicate"),
        "speeding": _("Too fast"),
        "failed_attention": _("Failed attention check"),
        "even_odd": _("Halves of scales disagree"),
        "synonyms": _("Like items answered unlike"),
        "antonyms": _("Opposite items answered alike"),
        "person_total": _("Against all others"),
        "mahalanobis": _("Unusual combination"),
        "contradictions": _("Contradicts reversed items"),
        "autocorrelation": _("Repeating pattern"),
        "longstring": _("Same answer in a row"),
        "low_variability": _("Hardly any variation"),
    }
    k, some, parts = mark.partition(" of ")
    if some:
        listed = [names.get(part, part) for part in parts.split(" | ")]
        return _("At least {k} of: {marks}").format(k=k, marks=listing(listed, most=len(listed)))
    return " + ".join(names.get(part, part) for part in mark.split(" + "))


def rule_labels(cleaned: Cleaned) -> dict[str, str]:
    """Return rule -> name, for the figure of the flow."""
    return {rule: mark_label(rule) for rule in cleaned.flow["rule"]}


def reason_label(reason: str) -> str:
    """Return a reason of a blank in the current language; the codebook's own words stay."""
    known = {
        "not answered": _("not answered"),
        "not asked": _("not asked"),
        "outside the scale": _("answer outside the scale"),
        "not a number": _("not a number"),
        "skipped by the questionnaire": _("skipped by the questionnaire"),
        "seen but left blank": _("seen but left blank"),
        "prefers not to say": _("prefers not to say"),
    }
    return known.get(reason, reason)


def percent_interval(low: float, high: float) -> str:
    """Return ``[12.1 %, 15.0 %]``."""
    return f"[{format_percent(low, 1)}, {format_percent(high, 1)}]"


def reasons_table(study: Study) -> ApaTable | Unavailable:
    """Return why cells of the received file are blank."""
    reasons = study.intake.reasons
    if reasons.empty:
        return Unavailable(_("a table of blank cells"), _("no cell is blank"))
    cells = study.intake.answers.size
    table = reasons.groupby("reason").agg(cells=("item", "size"), items=("item", "nunique"))
    table = table.sort_values("cells", ascending=False).reset_index()
    table["reason"] = table["reason"].map(reason_label)
    table["share"] = table["cells"] / cells
    return apa_table(
        table,
        caption=_("Why cells of the received file are blank"),
        columns=[
            Column("reason", _("Reason"), "text"),
            Column("cells", _("Cells"), "integer"),
            Column("items", _("Items concerned"), "integer"),
            Column("share", _("Share of all cells"), "percent", 2),
        ],
        note=_("Cells are answers in the received file, before any exclusion."),
    )


def intake_sentence(intake: Intake) -> str:
    """Read aloud what was received and what was set missing."""
    outside = int((intake.reasons["reason"] == "outside the scale").sum())
    identifiers = sum(why == "direct identifier" for why in intake.dropped.values())
    return _(
        "{rows} rows with {columns} answer columns were received; {outside} answers lie outside "
        "their scale and were set missing, and {identifiers} columns that identify persons were "
        "not read."
    ).format(
        rows=intake.n_rows, columns=intake.answers.shape[1], outside=outside,
        identifiers=identifiers,
    )  # fmt: skip


def flow_table(cleaned: Cleaned) -> ApaTable | Unavailable:
    """Return the flow of exclusions, each row counted under the first rule it meets."""
    if cleaned.flow.empty:
        return Unavailable(
            _("a table of exclusions"), _("the study file names no rule that excludes")
        )
    table = cleaned.flow.assign(rule=cleaned.flow["rule"].map(mark_label))
    return apa_table(
        table,
        caption=_("From rows received to respondents analysed"),
        columns=[
            Column("step", _("Step"), "integer"),
            Column("rule", _("Rule"), "text"),
            Column("definition", _("Definition"), "text"),
            Column("n_before", _("n before"), "integer"),
            Column("n_hit", _("n excluded"), "integer"),
            Column("n_after", _("n after"), "integer"),
            Column("n_marked", _("n marked"), "integer"),
        ],
        note=_(
            "n excluded counts a row under the first rule it meets; n marked counts all rows that "
            "carry the mark."
        ),
    )


def flow_sentence(cleaned: Cleaned) -> str:
    """Read the flow aloud."""
    received, kept = cleaned.n_received, cleaned.n_analysed
    if kept == received:
        return _("All {n} rows received are analysed; no rule excludes any of them.").format(n=kept)
    low, high = wilson_interval(kept, received)
    worst = cleaned.flow.loc[cleaned.flow["n_hit"].idxmax()]
    return _(
        "Of {received} rows received, {kept} are analysed ({share}, {level:.0%} CI {ci}); the rule "
        "that excludes most is \"{rule}\" with {hit} rows."
    ).format(
        received=received, kept=kept, share=format_percent(kept / received, 1), level=LEVEL,
        ci=percent_interval(low, high), rule=mark_label(worst["rule"]), hit=int(worst["n_hit"]),
    )  # fmt: skip


def exclusions_table(
    study: Study, compared: pd.DataFrame | Unavailable, most: int
) -> ApaTable | Unavailable:
    """Return scale scores of rows kept and rows excluded, the largest differences first."""
    if isinstance(compared, Unavailable):
        return compared
    table = compared.sort_values("d", key=abs, ascending=False).head(most)
    return apa_table(
        table.assign(construct=table["construct"].map(study.construct_name)),
        caption=_("Scale scores of rows kept and rows excluded"),
        columns=[
            Column("construct", _("Construct"), "text"),
            Column("mean_kept", _("Mean kept"), "number"),
            Column("mean_excluded", _("Mean excluded"), "number"),
            Column("mean_all", _("Mean without exclusions"), "number"),
            Column("difference", _("Difference"), "number"),
            interval_column(),
            Column("d", "d", "number"),
        ],
        note=_(
            "Difference: excluded minus kept, Welch's interval; d in standard deviations. Shown: "
            "the {n} largest of {k} constructs; {low} to {high} excluded rows have a score."
        ).format(
            n=len(table),
            k=len(compared),
            low=int(table["n_excluded"].min()),
            high=int(table["n_excluded"].max()),
        ),  # fmt: skip
    )


def exclusions_sentence(study: Study, compared: pd.DataFrame | Unavailable) -> str:
    """Read the largest effect of the exclusions aloud."""
    if isinstance(compared, Unavailable):
        return _("Too few rows are excluded to change the scale scores noticeably.")
    worst = compared.loc[compared["d"].abs().idxmax()]
    return _(
        "The exclusions matter most for {construct}: rows excluded minus rows kept is {difference} "
        "scale points ({level:.0%} CI {ci}); without exclusions the mean would be {all} in place "
        "of {kept}."
    ).format(
        construct=study.construct_name(worst["construct"]),
        difference=format_number(worst["difference"]), level=LEVEL,
        ci=format_interval(worst["ci_low"], worst["ci_high"]),
        all=format_number(worst["mean_all"]), kept=format_number(worst["mean_kept"]),
    )  # fmt: skip


def fault_label(kind: str) -> str:
    """Return a planted fault in the current language."""
    names = {
        "honest": _("sound row"),
        "unfinished": _("unfinished"),
        "speeder": _("speeder"),
        "inattentive": _("inattentive"),
        "screened_out": _("outside the population"),
        "straight_liner": _("straight-liner"),
        "duplicate": _("duplicate"),
        "no_consent": _("no consent"),
        "preview": _("preview"),
    }
    return names.get(kind, kind)


def planted_table(planted: pd.DataFrame | Unavailable) -> ApaTable | Unavailable:
    """Return how many rows of each planted fault the cleaning found."""
    if isinstance(planted, Unavailable):
        return planted
    return apa_table(
        planted.assign(kind=planted["kind"].map(fault_label)),
        caption=_("Planted faults and what the cleaning excluded"),
        columns=[
            Column("kind", _("Planted"), "text"),
            Column("n", _("n"), "integer"),
            Column("n_excluded", _("n excluded"), "integer"),
            Column("share", _("Share excluded"), "percent", 1),
        ],
    )


def planted_checks(planted: pd.DataFrame | Unavailable) -> list[CheckResult | Unavailable]:
    """Check that faults are found and sound rows are kept, on simulated data."""
    if isinstance(planted, Unavailable):
        return [planted]
    sound = planted[planted["kind"] == "honest"]
    faulty = planted[planted["kind"] != "honest"]
    found = faulty["n_excluded"].sum() / faulty["n"].sum()
    lost = sound["n_excluded"].sum() / sound["n"].sum()
    needed, allowed = THRESHOLDS["faults_found"], THRESHOLDS["sound_lost"]
    return [
        CheckResult(
            _("Planted faults are found"), needed.holds(found), float(found), needed.value,
            _(needed.source),
            _("Planted faulty rows that are excluded: {hit} of {n} ({share}).").format(
                hit=int(faulty["n_excluded"].sum()), n=int(faulty["n"].sum()),
                share=format_percent(found, 1),
            ),
        ),
        CheckResult(
            _("Sound rows are kept"), allowed.holds(lost), float(lost), allowed.value,
            _(allowed.source),
            _("Sound rows excluded by mistake: {hit} of {n} ({share}).").format(
                hit=int(sound["n_excluded"].sum()), n=int(sound["n"].sum()),
                share=format_percent(lost, 1),
            ),
        ),
    ]  # fmt: skip


def flow_numbers(cleaned: Cleaned) -> list[Number]:
    """Return rows received and analysed for ``results.json``."""
    low, high = wilson_interval(cleaned.n_analysed, cleaned.n_received)
    share = cleaned.n_analysed / cleaned.n_received
    return [
        Number("n_received", cleaned.n_received, "rows in the file"),
        Number("n_analysed", cleaned.n_analysed, "rows left by the rules of study.yml"),
        Number(
            "share_analysed", share, "rows analysed / rows received", low, high, LEVEL,
            cleaned.n_received, method="Wilson",
        ),
    ]  # fmt: skip


def flow_checks(study: Study) -> list[CheckResult]:
    """Check that every row is accounted for once, and that ids are unique."""
    cleaned, n = study.cleaned, study.cleaned.n_received
    accounted = int(cleaned.flow["n_hit"].sum()) + cleaned.n_analysed
    ids = int(study.responses["respondent_id"].duplicated().sum())
    return [
        CheckResult(
            _("Every row is accounted for once"), accounted == n, float(accounted), float(n),
            _("definition of the flow"),
            _("Excluded and analysed rows add up to {sum} of {n}.").format(sum=accounted, n=n),
        ),
        CheckResult(
            _("One row a respondent"), ids == 0, float(ids), 0.0, _("definition of the sample"),
            _("Respondent ids that stand more than once: {n}.").format(n=ids),
        ),
    ]  # fmt: skip


def flow_picture(cleaned: Cleaned) -> pd.DataFrame | Unavailable:
    """Return the flow for its figure, or that no rule excludes."""
    if cleaned.flow.empty:
        return Unavailable(
            _("a figure of exclusions"), _("the study file names no rule that excludes")
        )
    return cleaned.flow


def planted_sentence(planted: pd.DataFrame | Unavailable) -> str:
    """Read the share of sound rows lost aloud."""
    if isinstance(planted, Unavailable):
        return _("Whether the rules find what they should can be seen on simulated data only.")
    sound = planted[planted["kind"] == "honest"].iloc[0]
    return _(
        "Sound rows excluded by mistake: {hit} of {n}, {share} ({level:.0%} CI {ci})."
    ).format(
        n=int(sound["n"]), hit=int(sound["n_excluded"]), share=format_percent(sound["share"], 1),
        level=LEVEL, ci=percent_interval(sound["ci_low"], sound["ci_high"]),
    )  # fmt: skip
