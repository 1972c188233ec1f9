"""Factor structure of a whole study: how many factors, which items go together, HTMT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.measurement.adequacy import (
    SamplingAdequacy,
    SphericityTest,
    sampling_adequacy,
    single_factor_share,
    sphericity_test,
)
from helpers.measurement.efa import FIT, FactorSolution, factor_analysis
from helpers.measurement.extraction import Extraction, most_factors
from helpers.measurement.recovery import compare_structure
from helpers.measurement.retention import (
    MinimumAveragePartial,
    ParallelAnalysis,
    minimum_average_partial,
    parallel_analysis,
)
from helpers.measurement.rotation import Rotation
from helpers.measurement.rows import without_constants
from helpers.measurement.study_scales import StudyCorrelations, scale_blocks, study_correlations
from helpers.measurement.validity import HtmtResult, estimate_htmt
from helpers.results import CheckResult

if TYPE_CHECKING:
    from helpers.survey.load import Study


@dataclass(frozen=True, slots=True)
class StudyFactors:
    """Everything an exploratory factor analysis of a study reports.

    Attributes
    ----------
    correlations : StudyCorrelations
    adequacy : SamplingAdequacy
    sphericity : SphericityTest or Unavailable
    parallel : ParallelAnalysis or Unavailable
    partials : MinimumAveragePartial
    n_factors : int
        Asked for; or by parallel analysis of components; or, without the number of respondents, by
        MAP; at least 1 and at most what is identified.
    rule : str
        Which of these, in words.
    solution : FactorSolution
    neighbours : DataFrame
        Fit of the numbers of factors around the one chosen, by ML: n_factors, chi2, df, p_value,
        rmsea, tli, bic, proper; empty where the number of respondents is not known.
    """

    correlations: StudyCorrelations
    adequacy: SamplingAdequacy
    sphericity: SphericityTest | Unavailable
    parallel: ParallelAnalysis | Unavailable
    partials: MinimumAveragePartial
    n_factors: int
    rule: str
    solution: FactorSolution
    neighbours: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return the loadings."""
        return self.solution.table()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def eigenvalues(self) -> pd.DataFrame | Unavailable:
        """Return observed and random eigenvalues."""
        return self.parallel if isinstance(self.parallel, Unavailable) else self.parallel.table()

    def parallel_text(self) -> str:
        """Return one sentence on the number of factors by each rule."""
        by_map = _("Velicer's MAP keeps {k}. Factors extracted: {used} ({rule}).").format(
            k=self.partials.n_components, used=self.n_factors, rule=self.rule
        )
        return f"{self.parallel.text()} {by_map}"

    def structure(self) -> pd.DataFrame | Unavailable:
        """Return item by item on which factor it loads, and whether it is that of its scale."""
        if self.correlations.kind == "scales":
            return Unavailable(
                _("a comparison of items with their scales"),
                _("only scale correlations were published"),
            )
        return compare_structure(self.solution, self.correlations.blocks)[0]

    def checks(self) -> tuple[CheckResult | Unavailable, ...]:
        """Return adequacy, structure and Harman's share as checks."""
        structure = self.structure()
        return (
            self.adequacy.check(),
            structure
            if isinstance(structure, Unavailable)
            else compare_structure(self.solution, self.correlations.blocks)[1],
            single_factor_share(self.correlations.corr).check(),
        )


def explore_study(
    study: Study,
    *,
    model: str | None = "measurement",
    n_factors: int = 0,
    extraction: Extraction = "ml",
    rotation: Rotation = "oblimin",
    n_draws: int = 200,
    seed: int = 0,
    ordinal: StudyCorrelations | None = None,
) -> StudyFactors:
    """Explore the factor structure of a study's items, or of its published scale correlations.

    Parameters
    ----------
    study : Study
    model : str, optional
        The model whose items are factored; every construct's items if the study has none such.
    n_factors : int
        0 lets parallel analysis decide (MAP where the number of respondents is not known).
    extraction, rotation : str
        As in ``factor_analysis``.
    n_draws, seed : int
        Of the parallel analysis.
    ordinal : StudyCorrelations, optional
        Polychoric correlations of the same items (``sem.explore_items`` makes them). Loadings and
        adequacy come from them, without tests of fit, whose distribution does not hold; the number
        of factors still follows from the Pearson correlations.
    """
    given = study_correlations(study, model=model)
    parallel = parallel_analysis(given.corr, n=given.n_used, seed=seed, n_draws=n_draws)
    partials = minimum_average_partial(given.corr)
    if n_factors:
        chosen, rule = n_factors, _("as asked for")
    elif isinstance(parallel, Unavailable):
        chosen, rule = partials.n_components, _("by MAP")
    else:
        chosen, rule = parallel.n_components, _("by parallel analysis")
    if not n_factors:
        chosen = min(max(chosen, 1), most_factors(len(given.corr)))
    shown = ordinal or given
    solution = factor_analysis(
        shown.corr,
        n_factors=chosen,
        n=given.n_used if ordinal is None else None,
        n_dropped=given.n_dropped,
        extraction=extraction,
        rotation=rotation,
    )
    return StudyFactors(
        correlations=shown,
        adequacy=sampling_adequacy(shown.corr),
        sphericity=sphericity_test(given.corr, n=given.n_used),
        parallel=parallel,
        partials=partials,
        n_factors=chosen,
        rule=rule,
        solution=solution,
        neighbours=_neighbours(given, chosen) if ordinal is None else pd.DataFrame(),
    )


def _neighbours(given: StudyCorrelations, chosen: int) -> pd.DataFrame:
    """Return the ML fit of the chosen number of factors and of up to two on either side."""
    most = most_factors(len(given.corr))
    numbers = [k for k in range(chosen - 2, chosen + 3) if 1 <= k <= most]
    if given.n_used is None:
        return pd.DataFrame()
    rows = []
    for k in numbers:
        own = factor_analysis(given.corr, n_factors=k, n=given.n_used, rotation="none")
        fit = {name: getattr(own, name) for name in FIT}
        rows.append({"n_factors": k, "df": own.df, "proper": own.proper, **fit})
    return pd.DataFrame(rows)


def study_htmt(
    study: Study, *, model: str | None = "measurement", n_boot: int = 5000, seed: int = 0
) -> HtmtResult | Unavailable:
    """Return HTMT of the constructs of a model (or of all), by name; a matrix has no items.

    Items whose answers never vary have no correlations; they are left out and named.
    """
    what = _("HTMT")
    if not study.has_rows:
        return Unavailable(what, _("only scale correlations were published"))
    blocks, constant = without_constants(study.responses, _named_blocks(study, model))
    if sum(len(items) > 1 for items in blocks.values()) < 2:
        return Unavailable(what, _("fewer than two scales have two items"))
    found = estimate_htmt(study.responses, blocks, n_boot=n_boot, seed=seed)
    return replace(found, constant=constant)


def _named_blocks(study: Study, model: str | None) -> dict[str, list[str]]:
    """Return scales by their names, or by their codes where two names are the same."""
    blocks = scale_blocks(study, model=model)
    names = [study.construct_name(code) for code in blocks]
    if len(set(names)) < len(names):
        return blocks
    return dict(zip(names, blocks.values(), strict=True))
