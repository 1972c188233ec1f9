"""Power of a hypothesis by formula, from fits to the population's own moments."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem.power_analytic import power_chisq, power_z
from helpers.sem.power_montecarlo import Job, misfit, plans_of
from helpers.sem.power_replicates import Plan, make_plan
from helpers.sem.power_result import NeededN, PowerResult
from helpers.sem.power_target import Target, find_target, without
from helpers.sem.simulate_population import parsed

REFERENCE_N = 1_000_000
"""N per group at which the population's own fit is taken; results are scaled from it."""


class Formula:
    """Noncentrality per person of a hypothesis.

    ``least`` is the smallest N that leaves every group more people than variables.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.plans = plans_of(job, REFERENCE_N * job.population.n_groups)
        p = len(self.plans[0].order)
        self.least = int(np.ceil((p + 1) / min(job.shares)))
        self.target: Target | None = None
        self.df: int = 1
        self.slope = 0.0
        self.true_value: float | None = None
        if job.step:
            free, strict = self.plans
            self.df = strict.result.test.df - free.result.test.df
            self.slope = 2.0 * (strict.result.f - free.result.f)
            self.name = _("that the step '{step}' does not hold").format(step=job.hypothesis)
            self.test = _("chi-square difference, df = {df}").format(df=self.df)
            return
        plan = self.plans[0]
        self.target = find_target(plan.result.table, job.hypothesis)
        self.name = self.target.name
        self.true_value = float(plan.result.values[self.target.position])
        self._of_parameter(plan)

    def _of_parameter(self, plan: Plan) -> None:
        """Noncentrality of a parameter, or squared distance of a formula in standard errors."""
        row = self.target.row
        error = float(plan.result.standard_errors[self.target.position])
        self.wald = (self.true_value / error) ** 2 / plan.result.n_obs if error > 0 else 0.0
        self.test = _("delta-method z test")
        self.slope = self.wald
        if row is None or parsed(self.job.model).constraints:
            return
        restricted = make_plan(
            self.job.population, without(parsed(self.job.model), row, self.job.population.n_groups),
            [m.n for m in plan.result.moments], std_lv=self.job.std_lv,
            means=plan.result.meanstructure,
        )  # fmt: skip
        self.slope = 2.0 * (restricted.result.f - plan.result.f)
        self.df = restricted.result.test.df - plan.result.test.df
        self.test = _("chi-square difference, df = {df}").format(df=self.df)

    def power(self, n: int, alpha: float) -> float:
        """Power at a total N."""
        ncp = max(self.slope, 0.0) * n
        if self.target is not None and self.target.row is None:
            return power_z(float(np.sqrt(ncp)), alpha)
        return power_chisq(ncp, self.df, alpha)

    def result(
        self, sizes: np.ndarray, needed: NeededN | Unavailable, *, target: float, alpha: float
    ) -> PowerResult:
        """Build the analytic result."""
        table = pd.DataFrame(
            {
                "n_obs": sizes,
                "power": [self.power(int(n), alpha) for n in sizes],
                "ncp": self.slope * sizes,
            }
        )
        return PowerResult(
            table, needed, self.name, "analytic", self.test, alpha, target, self.true_value,
            misfit(self.plans[0].result), self.df,
        )  # fmt: skip
