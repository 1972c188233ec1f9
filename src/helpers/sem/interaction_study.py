"""Moderation hypotheses of a study, tested among its latent variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import SuiteError, Unavailable, listing, passes_unavailable
from helpers.i18n import _, pick
from helpers.regression.process import ProcessResult, process
from helpers.sem.confounder import ConfounderSensitivity, confounder_sensitivity
from helpers.sem.fit import fit
from helpers.sem.interaction import with_products
from helpers.sem.interaction_fit import interaction_by_lms, interaction_by_products
from helpers.sem.interaction_mediation import ModeratedMediation, moderated_mediation
from helpers.sem.interaction_result import LatentInteraction
from helpers.sem.study_fit import ModelFit
from helpers.sem.syntax import parse

if TYPE_CHECKING:
    from helpers.specification import HypothesisTest
    from helpers.survey.load import Study

NUMERIC = ("likert", "number")
BOOTSTRAP_SAMPLES = 5000


@dataclass(frozen=True, slots=True)
class ModerationQuestion:
    """Who moderates what, with the items that measure it.

    Attributes
    ----------
    hypothesis, text, sign : str
        Of the study file; empty where the variables were named by hand.
    outcome, predictor, moderator : str
    items : dict
        Variable -> its items; a single item stands for itself.
    labels : dict
        Variable -> name in the language of the run.
    """

    hypothesis: str
    text: str
    sign: str
    outcome: str
    predictor: str
    moderator: str
    items: dict[str, list[str]]
    labels: dict[str, str]

    @property
    def names(self) -> tuple[str, str, str]:
        """Predictor, moderator, outcome."""
        return self.predictor, self.moderator, self.outcome

    def label(self, name: str) -> str:
        """Return a variable's name in the language of the run."""
        return self.labels.get(name, name)

    @property
    def measurement(self) -> str:
        """The three measurement equations as model text."""
        return "\n".join(f"{n} =~ {' + '.join(self.items[n])}" for n in self.names)


def study_question(
    study: Study, *, outcome: str = "", predictor: str = "", moderator: str = ""
) -> ModerationQuestion | Unavailable:
    """Return the moderation to be tested.

    Without names, the study's first moderation hypothesis whose predictor and moderator are
    numbers; with all three names, these. Variables are constructs or items on a number or
    agreement scale. ``Unavailable`` where the study has no respondents, no such hypothesis, or
    not the variables.
    """
    what = _("a moderation")
    lacking = study.offers("rows")
    if lacking is not None:
        return lacking
    named = (outcome, predictor, moderator)
    if any(named) and not all(named):
        return Unavailable(what, _("outcome, predictor and moderator must be named together"))
    if all(named):
        return _question(study, named, "", "", "")
    for hypothesis in study.spec.hypotheses:
        for test in hypothesis.tests if hypothesis.kind == "moderation" else []:
            if _is_numeric(test):
                variables = (test.outcome, str(test.predictor), str(test.moderator))
                text = pick(hypothesis.text.model_dump())
                found = _question(study, variables, hypothesis.id, text, hypothesis.sign)
                if not isinstance(found, Unavailable):
                    return found
    return Unavailable(what, _("the study states no moderation by a number; name the variables"))


def _is_numeric(test: HypothesisTest) -> bool:
    """Tell whether predictor and moderator are taken as numbers."""
    return bool(test.predictor and test.moderator) and not (
        test.predictor_codes or test.moderator_codes
    )


def _question(
    study: Study, variables: tuple[str, str, str], hypothesis: str, text: str, sign: str
) -> ModerationQuestion | Unavailable:
    """Look up the items of the three variables."""
    items, labels = {}, {}
    for name in variables:
        own = measured_by(study, name)
        if not own:
            why = _("'{name}' has no items on a number or agreement scale").format(name=name)
            return Unavailable(_("a moderation"), why)
        items[name], labels[name] = own, study.construct_name(name)
    outcome, predictor, moderator = variables
    return ModerationQuestion(hypothesis, text, sign, outcome, predictor, moderator, items, labels)


def measured_by(study: Study, name: str) -> list[str]:
    """Return the items that measure a variable: as in the study's models, else as in its codebook.

    A single item stands for itself. Only items among the cleaned answers count.
    """
    own: list[str] = []
    for model in study.spec.models.values():
        terms = parse(model.syntax).terms
        own = own or [t.rhs for t in terms if t.op == "=~" and t.lhs == name]
    own = own or study.items_of(name)
    if not own and name in set(study.items["item"]):
        own = [name] if study.scale_of(name).kind in NUMERIC else []
    return own if set(own) <= set(study.responses.columns) else []


@passes_unavailable
def study_interaction(
    study: Study,
    question: ModerationQuestion,
    *,
    method: str = "products",
    pairs: str = "matched",
    estimator: str = "MLR",
    missing: str = "fiml",
) -> LatentInteraction | Unavailable:
    """Estimate a study's latent interaction, or say why it cannot be done.

    Matched products take the items in order of their loadings in the model without a product, the
    strongest first. ``method`` is ``"products"`` or ``"lms"``.
    """
    data = study.responses
    roles = {"predictor": question.predictor, "moderator": question.moderator,
             "outcome": question.outcome}  # fmt: skip
    single = [question.label(n) for n in question.names if len(question.items[n]) == 1]
    if method == "lms" and single:
        why = _("LMS needs two items or more of each variable; {names} is measured by one")
        return Unavailable(
            _("the latent interaction by LMS"), why.format(names=_(", ").join(single))
        )
    try:
        if method == "lms":
            return interaction_by_lms(data, question.items, **roles)
        text = f"{question.measurement}\n{structure_of(question)}"
        options = {"estimator": estimator, "missing": _missing(study, question, missing)}
        first, second = _by_strength(study, question)
        return interaction_by_products(
            text, _columns(study, question), **roles, pairs=pairs, first=first, second=second,
            **options,
        )  # fmt: skip
    except SuiteError as error:
        return Unavailable(_("the latent interaction"), str(error))


def structure_of(question: ModerationQuestion) -> str:
    """Return the regression of the outcome on predictor and moderator."""
    return f"{question.outcome} ~ {question.predictor} + {question.moderator}"


def _columns(study: Study, question: ModerationQuestion, *more: str) -> pd.DataFrame:
    """Return the items of the question, and more, as numbers."""
    names = [i for own in question.items.values() for i in own]
    return study.responses[list(dict.fromkeys([*names, *more]))].astype(float)


def _missing(study: Study, question: ModerationQuestion, missing: str) -> str:
    """Return ``fiml`` only where something is blank."""
    blank = bool(_columns(study, question).isna().to_numpy().any())
    return missing if blank else "listwise"


def _by_strength(study: Study, question: ModerationQuestion) -> list[list[str]]:
    """Return the items of predictor and moderator, the largest standardised loading first."""
    text = f"{question.measurement}\n{structure_of(question)}"
    table = fit(text, _columns(study, question)).estimates
    loadings = table[table["op"] == "=~"].set_index("rhs")["std_all"].abs()
    return [
        sorted(question.items[n], key=lambda i: -float(loadings[i]))
        for n in (question.predictor, question.moderator)
    ]


@passes_unavailable
def study_moderated_mediation(
    study: Study,
    question: ModerationQuestion,
    *,
    final: str = "",
    pairs: str = "matched",
    estimator: str = "MLR",
    missing: str = "fiml",
    seed: int,
) -> ModeratedMediation | Unavailable:
    """Ask whether the moderator also moderates the way on from the outcome to a later variable.

    ``final`` is that later variable; without a name, the last outcome of the study's model
    ``structural``. The later variable is regressed on outcome, predictor and moderator.
    """
    what = _("the index of moderated mediation")
    final = final or _last_outcome(study)
    items = measured_by(study, final) if final else []
    if not items or final in question.names:
        return Unavailable(what, _("the study has no later outcome; name one"))
    text = (
        f"{question.measurement}\n{final} =~ {' + '.join(items)}\n{structure_of(question)}\n"
        f"{final} ~ {question.outcome} + {question.predictor} + {question.moderator}"
    )
    try:
        first, second = _by_strength(study, question)
        own = with_products(
            text, _columns(study, question, *items), predictor=question.predictor,
            moderator=question.moderator, outcomes=[question.outcome], pairs=pairs, first=first,
            second=second,
        )  # fmt: skip
        blank = bool(own.data.isna().to_numpy().any())
        result = fit(
            own.syntax, own.data, estimator=estimator, missing=missing if blank else "listwise"
        )
        return moderated_mediation(
            result, source=question.predictor, mediator=question.outcome, outcome=final,
            moderator=question.moderator, product=own.product, seed=seed,
        )  # fmt: skip
    except SuiteError as error:
        return Unavailable(what, str(error))


def _last_outcome(study: Study) -> str:
    """Return the last variable of the model ``structural`` that points to nothing."""
    specification = study.model("structural")
    if isinstance(specification, Unavailable):
        return ""
    paths = [(t.lhs, t.rhs) for t in parse(specification.syntax).terms if t.op == "~"]
    causes = {cause for _outcome, cause in paths}
    ends = [outcome for outcome, _cause in paths if outcome not in causes]
    return ends[-1] if ends else ""


@passes_unavailable
def study_process(
    study: Study,
    question: ModerationQuestion,
    *,
    final: str | None = None,
    n_boot: int = BOOTSTRAP_SAMPLES,
    seed: int,
) -> ProcessResult | Unavailable:
    """Test the same moderation among mean scores, as a check on the latent one.

    PROCESS model 1. With ``final`` (empty for the last outcome of the model ``structural``) it is
    model 7: the moderated path is the first of a chain that ends in ``final``.
    """
    chain = final is not None
    what = _("the moderated chain of mean scores") if chain else _("the moderation of mean scores")
    items = dict(question.items)
    roles = {"model": 1, "x": question.predictor, "w": question.moderator, "y": question.outcome}
    if chain:
        final = final or _last_outcome(study)
        items[final] = measured_by(study, final) if final else []
        if not items[final] or final in question.names:
            return Unavailable(what, _("the study has no later outcome; name one"))
        roles |= {"model": 7, "m": question.outcome, "y": final}
    answers = study.responses[[i for own in items.values() for i in own]].astype(float)
    frame = pd.DataFrame({n: answers[own].mean(axis=1, skipna=False) for n, own in items.items()})
    try:
        return process(frame, **roles, n_boot=n_boot, seed=seed)
    except SuiteError as error:
        return Unavailable(what, str(error))


@passes_unavailable
def study_confounder(
    fitted: ModelFit, *, cause: str = "", outcome: str = "", source: str = ""
) -> ConfounderSensitivity | Unavailable:
    """Return how strong an unmeasured confounder must be to undo an effect of a study's model.

    Without names: the indirect effect from the first cause, through the variable that points to
    the last outcome with the largest standardised path, to that outcome.
    """
    what = _("the sensitivity to an unmeasured confounder")
    if not fitted.n_known:
        return Unavailable(what, _("the source does not say how many people answered"))
    if not (cause and outcome):
        chosen = _strongest_way(fitted)
        if isinstance(chosen, Unavailable):
            return chosen
        source, cause, outcome = chosen
    given = {k: v for k, v in fitted.data.items() if k in ("data", "sample_cov", "n_obs")}
    try:
        return confounder_sensitivity(
            fitted.syntax, **given, cause=cause, outcome=outcome, source=source
        )
    except SuiteError as error:
        return Unavailable(what, str(error))


@passes_unavailable
def question_confounder(
    study: Study, question: ModerationQuestion
) -> ConfounderSensitivity | Unavailable:
    """Return how strong an unmeasured confounder must be to undo the path that is moderated."""
    try:
        return confounder_sensitivity(
            f"{question.measurement}\n{structure_of(question)}", _columns(study, question),
            cause=question.predictor, outcome=question.outcome,
        )  # fmt: skip
    except SuiteError as error:
        return Unavailable(_("the sensitivity to an unmeasured confounder"), str(error))


def _strongest_way(fitted: ModelFit) -> tuple[str, str, str] | Unavailable:
    """Return first cause, mediator and last outcome, the mediator with the strongest last path."""
    rows = fitted.rows("~")
    first = [v for v in dict.fromkeys(rows["rhs"]) if v not in set(rows["lhs"])]
    last = [v for v in dict.fromkeys(rows["lhs"]) if v not in set(rows["rhs"])]
    if not first or not last:
        return Unavailable(_("an indirect effect"), _("the arrows of the model form a loop"))
    after = set(rows[rows["rhs"] == first[0]]["lhs"])
    own = rows[(rows["lhs"] == last[-1]) & rows["rhs"].isin(after)]
    if own.empty:
        why = _("no variable lies between {names}").format(names=listing([first[0], last[-1]]))
        return Unavailable(_("an indirect effect"), why)
    best = own.iloc[int(np.argmax(own["std_all"].abs().to_numpy()))]
    return first[0], str(best["rhs"]), last[-1]
