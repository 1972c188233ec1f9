"""Make the simulated study, and check what notebooks find against what was planted."""

from helpers.survey.simulate.build import simulate_study
from helpers.survey.simulate.formula_recovery import formula_rows, recovery_of_formulas
from helpers.survey.simulate.recovery import recovery_of_paths, recovery_rows, recovery_table

__all__ = [
    "formula_rows",
    "recovery_of_formulas",
    "recovery_of_paths",
    "recovery_rows",
    "recovery_table",
    "simulate_study",
]
