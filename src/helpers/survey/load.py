"""Open a study: what a notebook sees of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from helpers.errors import CodebookError, DataContractError, Unavailable, listing, nearest
from helpers.i18n import _, pick
from helpers.memo import kept, remembered
from helpers.specification import StudySpec
from helpers.study import StudyFolder, read_folder, study_folder
from helpers.survey import opened
from helpers.survey.findings import raise_errors
from helpers.survey.matrix import StudyMatrix, study_matrix
from helpers.survey.readers import Intake, read_source
from helpers.survey.scoring import reverse_coded, scale_scores
from helpers.survey.screening import Cleaned, Marks, exclude_marked, mark_responses
from helpers.survey.selection import Selection, restricted, select_rows, split_name

NEEDS = (
    "rows", "matrix", "timing", "truth", "scores", "hypotheses", "regressions", "comparisons",
    "scales", "factors", "items",
)  # fmt: skip
"""Needs without a name; with one: ``model:NAME construct:CODE module:NAME group:NAME item:NAME
regression:NAME service:PART``."""

_META_KEPT = ["respondent_id", "started_at", "duration_s", "language"]


@dataclass(frozen=True)
class Study:
    """A study, opened. Tables are computed when first asked for, and must not be changed.

    Attributes
    ----------
    folder : StudyFolder
        Study file and codebook; its attributes (``title``, ``items_of``, ``construct_name``,
        ``wording``, ``model``, ...) can be asked of the study itself.
    n_obs : int or None
        Respondents behind a published matrix, given by the user where the source is silent.
    selection : Selection or None
        The part of the respondents that counts, where the study was opened with ``where``.
    whole : Study or None
        The same study with all its respondents, where it was opened with ``where``.
    """

    folder: StudyFolder
    n_obs: int | None = None
    selection: Selection | None = None
    whole: Study | None = None

    def __getattr__(self, name: str) -> Any:
        """Pass on to the study folder what it knows."""
        if name.startswith("_") or name == "folder":  # not yet set while unpickling
            raise AttributeError(name)
        return getattr(self.folder, name)

    @property
    def spec(self) -> StudySpec:
        """Return the validated study file."""
        return self.folder.spec

    @property
    def items(self) -> pd.DataFrame:
        """Return the codebook, one row an item."""
        return self.folder.items

    @property
    def has_rows(self) -> bool:
        """Tell whether the study has respondents, rather than a published matrix."""
        return self.spec.data is not None

    @kept
    def intake(self) -> Intake:
        """Return the main file as read and typed, with findings and reasons of blanks.

        Of a selection, its rows only.
        """
        whole = self.whole_intake
        return whole if self.selection is None else restricted(whole, self._chosen)

    @kept
    def _chosen(self) -> pd.Series:
        """Return which received rows belong to the selection."""
        return select_rows(self.folder, self.whole_intake, self.selection)

    @kept
    def whole_intake(self) -> Intake:
        """Return the main file with all its rows, selected or not."""
        if self.whole is not None:
            return self.whole.whole_intake
        if self.spec.data is None:
            raise DataContractError(
                f"Study: responses= of '{self.folder.id}' do not exist; it is a published matrix "
                "without respondents. Use study.matrix, and ask study.offers('rows') first."
            )
        return read_source(self.folder, self.spec.data)

    @kept
    def raw(self) -> pd.DataFrame:
        """Return metadata and answers as asked, one row a received row."""
        return pd.concat([self.intake.meta, self.intake.answers], axis=1)

    @kept
    def marks(self) -> Marks:
        """Return every mark of every received row."""
        if self.whole is None:
            return mark_responses(self.folder, self.intake.meta, self.intake.answers)
        # Marks look at all rows: two copies of one answer may lie on both sides of a selection.
        marks = self.whole.marks
        return replace(marks, table=marks.table[self._chosen].reset_index(drop=True))

    @kept
    def cleaned(self) -> Cleaned:
        """Return who was kept, who was excluded by which rule, and the flow."""
        return exclude_marked(self.marks, self.spec.screening)

    @kept
    def marked(self) -> pd.DataFrame:
        """Return the received rows with their marks and ``excluded_by``; nothing removed."""
        marks = self.marks.table.drop(columns="respondent_id").add_prefix("mark_")
        excluded = self.cleaned.excluded_by.rename("excluded_by")
        return pd.concat([self.raw, marks, excluded], axis=1)

    @property
    def flow(self) -> pd.DataFrame:
        """Return the flow table: each rule with the rows before, hit and after."""
        return self.cleaned.flow

    @kept
    def responses(self) -> pd.DataFrame:
        """Return the cleaned answers, one row a respondent.

        Columns: ``respondent_id, started_at, duration_s, language``, then every coded item of the
        main questionnaire; free text is kept apart (``texts``). Reverse-keyed items are turned, so
        that a high answer means more of the construct; ``study.raw`` keeps them as asked. Answers
        outside the scale and missing codes are missing.
        """
        return self._coded(self.cleaned.kept)

    @kept
    def responses_all(self) -> pd.DataFrame:
        """Return ``responses`` of all received rows but previews: the result without exclusions."""
        return self._coded(~self.marks.table["preview"])

    def _coded(self, kept: pd.Series) -> pd.DataFrame:
        """Return metadata and coded answers of some of the received rows."""
        coded = self.intake.answers.drop(columns=self._text_items, errors="ignore")
        answers = reverse_coded(self.folder, coded[kept])
        parts = [self.intake.meta.loc[kept, _META_KEPT], answers]
        return pd.concat(parts, axis=1).reset_index(drop=True)

    @kept
    def _text_items(self) -> list[str]:
        kinds = self.items["scale"].map(lambda name: self.spec.scales[name].kind)
        return self.items.loc[kinds == "text", "item"].tolist()

    @kept
    def texts(self) -> pd.DataFrame:
        """Return free text of the rows kept; unescaped, never to be shown as it is."""
        kept = self.cleaned.kept
        named = [i for i in self._text_items if i in self.intake.answers]
        parts = [self.intake.meta.loc[kept, ["respondent_id"]], self.intake.answers[named][kept]]
        return pd.concat(parts, axis=1).reset_index(drop=True)

    @kept
    def reasons(self) -> pd.DataFrame:
        """Return why cells of ``responses`` are blank: columns ``respondent_id, item, reason``."""
        kept = self.cleaned.kept
        named = self.intake.reasons[self.intake.reasons["row"].map(kept)]
        ids = named["row"].map(self.intake.meta["respondent_id"])
        return pd.DataFrame(
            {"respondent_id": ids, "item": named["item"], "reason": named["reason"]}
        ).reset_index(drop=True)

    @kept
    def scores(self) -> pd.DataFrame:
        """Return ``respondent_id`` and one score a construct (mean of its items)."""
        return scale_scores(self.folder, self.responses)

    @property
    def groups(self) -> pd.DataFrame:
        """Return ``respondent_id`` and one categorical column a grouping, in this language."""
        columns = {
            name: self.labelled(grouping.item) for name, grouping in self.spec.groups.items()
        }
        return pd.DataFrame({"respondent_id": self.responses["respondent_id"], **columns})

    def labelled(self, item: str) -> pd.Series:
        """Return an item's answers as labels of its scale, in the current language."""
        scale = self.folder.scale_of(item)
        names = {float(code): pick(b.model_dump()) for code, b in scale.labels.items()}
        values = self.responses[item]
        if not names:
            return values
        order = list(dict.fromkeys(names.values()))
        return pd.Series(
            pd.Categorical(values.map(names), categories=order, ordered=scale.kind == "likert"),
            index=values.index,
            name=item,
        )

    @kept
    def matrix(self) -> StudyMatrix | Unavailable:
        """Return the published matrix, or that the study has none."""
        if self.spec.matrix is None:
            return Unavailable(_("a published matrix"), _("the study has respondents of its own"))
        return study_matrix(self.spec.matrix, n_obs=self.n_obs)

    @kept
    def truth(self) -> dict[str, Any] | Unavailable:
        """Return the planted population values of a simulated study."""
        if self.spec.truth is None:
            return Unavailable(_("the planted truth"), _("these data were observed, not simulated"))
        path = self.folder.folder / self.spec.truth
        if not path.is_file():
            raise CodebookError(
                f"load_study: truth= '{self.spec.truth}' does not exist in the folder of "
                f"'{self.folder.id}'; study.yml names it. Run `study simulate`."
            )
        return yaml.safe_load(path.read_text(encoding="utf-8"))

    def module(self, name: str) -> pd.DataFrame | Unavailable:
        """Return a further file of the study, or that the study has none of that name.

        Returns
        -------
        DataFrame
            ``respondent_id`` (the module's key), the module's items (reverse-keyed ones turned),
            and ``in_sample``: whether the respondent is in ``responses``.
        """
        if name not in self.spec.modules:
            return Unavailable(
                _("the module '{name}'").format(name=name),
                _("study '{study}' has no further file of that name").format(study=self.folder.id),
            )
        if name not in self._modules:
            self._modules[name] = self._read_module(name)
        return self._modules[name]

    @kept
    def _modules(self) -> dict[str, pd.DataFrame]:
        return {}

    def _read_module(self, name: str) -> pd.DataFrame:
        """Read a module's file and link it to the main sample."""
        module = self.spec.modules[name]
        intake = read_source(self.folder, module.source, module=name)
        answers = reverse_coded(self.folder, intake.answers)
        if module.key and module.key in answers:
            ids = answers[module.key].map(_as_id, na_action="ignore")
        else:
            ids = intake.meta["respondent_id"]
        out = pd.concat([ids.rename("respondent_id"), answers], axis=1)
        if self.selection is not None:
            out = out[out["respondent_id"].isin(self.intake.meta["respondent_id"])]
            out = out.reset_index(drop=True)
        out["in_sample"] = out["respondent_id"].isin(self.responses["respondent_id"])
        return out

    def offers(self, *needs: str) -> Unavailable | None:
        """Return the first of the needs that this study cannot meet, or None if it meets all.

        Parameters
        ----------
        needs : str
            ``rows``, ``matrix``, ``timing``, ``truth``, ``scores``, ``hypotheses``,
            ``regressions``, ``comparisons``, ``scales`` (one of two items or a published
            reliability), ``factors`` (three variables), ``items`` (one on an answer scale),
            ``model:NAME``, ``construct:CODE``, ``module:NAME``, ``group:NAME``, ``item:NAME``,
            ``regression:NAME``, ``service:PART``.
        """
        for need in needs:
            lacking = self._lacks(need)
            if lacking is not None:
                return lacking
        return None

    def _lacks(self, need: str) -> Unavailable | None:
        """Return what is lacking for one need."""
        kind, _colon, name = need.partition(":")
        if name:
            return self._lacks_named(kind, name, need)
        if kind not in NEEDS:
            raise CodebookError(
                f"offers: need= '{need}' is not known; allowed are {listing(NEEDS)} and, with "
                "a name, model: construct: module: group: item: regression: service:."
                f"{nearest(need, NEEDS)}"
            )
        lacking = {
            "rows": not self.has_rows,
            "scores": not self.has_rows,
            "matrix": self.spec.matrix is None,
            "truth": self.spec.truth is None,
            "hypotheses": not self.spec.hypotheses,
            "regressions": not self.spec.regressions,
            "comparisons": not self.spec.comparisons,
            "scales": not self._has_scales(),
            "factors": self._scale_variables() < 3,
            "items": not self._scale_items(),
            "timing": not self.has_rows or self.intake.meta["duration_s"].isna().all(),
        }
        why = {
            "rows": _("the study is a published matrix without respondents"),
            "scores": _("the study is a published matrix without respondents"),
            "matrix": _("the study has respondents of its own"),
            "truth": _("these data were observed, not simulated"),
            "hypotheses": _("the study file states none"),
            "regressions": _("the study file states none"),
            "comparisons": _("the study file states none"),
            "scales": _("no construct has two items or a published reliability"),
            "factors": _("the study has fewer than three variables on scales"),
            "items": _("no question of the main questionnaire has an answer scale"),
            "timing": _("the export holds no times"),
        }
        return Unavailable(_need_name(kind), why[kind]) if lacking[kind] else None

    def _has_scales(self) -> bool:
        """Tell whether some construct has a reliability, by its items or as published."""
        if self.spec.matrix is not None and self.spec.data is None:
            return bool(self.spec.matrix.reliability)
        return any(n >= 2 for n in self._scale_sizes().values())

    def _scale_variables(self) -> int:
        """Return how many variables a factor analysis could take."""
        if self.spec.matrix is not None and self.spec.data is None:
            return len(self.spec.matrix.names)
        return sum(self._scale_sizes().values())

    def _scale_items(self) -> list[str]:
        """Return the items of the main questionnaire with an answer scale."""
        main = self.items[self.items["module"] == "main"]
        return [r.item for r in main.itertuples() if self.spec.scales[r.scale].kind == "likert"]

    def _scale_sizes(self) -> dict[str, int]:
        """Return the number of items on an answer scale, by construct."""
        main = self.items[(self.items["module"] == "main") & (self.items["construct"] != "")]
        likert = main["scale"].map(lambda name: self.spec.scales[name].kind == "likert")
        return main.loc[likert, "construct"].value_counts().to_dict()

    def _lacks_named(self, kind: str, name: str, need: str) -> Unavailable | None:
        """Return what is lacking for a need with a name."""
        known = {
            "model": self.spec.models,
            "construct": self.folder.construct_codes,
            "module": self.spec.modules,
            "group": self.spec.groups if self.has_rows else (),
            "item": set(self.items["item"]),
            "regression": self.spec.regressions,
            "service": self.spec.service.parts(),
        }
        if kind not in known:
            raise CodebookError(
                f"offers: need= '{need}' is not known; with a name, allowed are {listing(known)}."
                f"{nearest(kind, known)}"
            )
        if name in known[kind]:
            return None
        return Unavailable(
            _("{kind} '{name}'").format(kind=_need_name(kind), name=name),
            _("study '{study}' defines none of that name").format(study=self.folder.id),
        )


def _as_id(value: object) -> str:
    """Return a key as text; a number without a trailing ``.0``."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _need_name(kind: str) -> str:
    """Return a need as a noun phrase in the current language."""
    return {
        "rows": _("an analysis of single respondents"),
        "scores": _("scale scores"),
        "matrix": _("a published matrix"),
        "truth": _("the planted truth"),
        "timing": _("the time taken to answer"),
        "hypotheses": _("a test of hypotheses"),
        "regressions": _("a declared regression"),
        "comparisons": _("a comparison of rival models"),
        "scales": _("the reliability of scales"),
        "factors": _("a factor analysis"),
        "items": _("an analysis of items on an answer scale"),
        "model": _("the model"),
        "construct": _("the construct"),
        "module": _("the module"),
        "group": _("the grouping"),
        "item": _("the item"),
        "regression": _("the regression"),
        "service": _("the managerial analysis"),
    }[kind]


@remembered
def load_study(name: str, *, n_obs: int | None = None) -> Study:
    """Open a study below ``data/``: read and check its file, codebook and data.

    Parameters
    ----------
    name : str
        The folder's name, such as ``"online_shopping"``; with a selection of respondents
        ``"online_shopping where platform = 2 and started_at >= 2024-03-01"``.
    n_obs : int, optional
        Respondents behind a published matrix whose source does not state them; a study with
        respondents counts its own and refuses it.

    Returns
    -------
    Study

    Raises
    ------
    CodebookError
        Unknown study; ``study.yml`` or ``items.csv`` is wrong.
    DataContractError
        The data disagree with the codebook; every disagreement is listed.

    Examples
    --------
    >>> study = load_study("online_shopping")  # doctest: +SKIP
    >>> study.responses.shape  # doctest: +SKIP
    """
    study, selection = split_name(name)
    return open_folder(study_folder(study), n_obs=n_obs, selection=selection)


def open_folder(
    folder: Path, *, n_obs: int | None = None, selection: Selection | None = None
) -> Study:
    """Open a study in any folder, with the same checks as ``load_study``."""
    if selection is None and (found := opened.kept_open(folder, n_obs)) is not None:
        return found
    whole = open_folder(folder, n_obs=n_obs) if selection is not None else None
    study = Study(whole.folder if whole else read_folder(folder), n_obs, selection, whole)
    if selection is not None and not study.has_rows:
        raise DataContractError(
            f"load_study: selection= is '{selection.text()}', but '{study.id}' is a published "
            "matrix without respondents to select from. Leave `where` out."
        )
    if n_obs is not None and study.spec.matrix is None:
        raise DataContractError(
            f"load_study: n_obs= is {n_obs}, but '{study.id}' has respondents of its own; n_obs is "
            "for published matrices only. Leave it out."
        )
    if study.spec.matrix is not None:
        study_matrix(study.spec.matrix, n_obs=n_obs)
    if study.has_rows:
        raise_errors(study.intake.findings, where=study.id)
    return study
