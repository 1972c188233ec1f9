"""Make the simulated study, and check what notebooks find against what was planted."""

from helpers.survey.simulate.build import simulate_study

__all__ = ["simulate_study"]
