"""A study folder from an export: what is certain is written down, what is guessed is marked."""

from helpers.survey.new.make import NewStudy, new_study

__all__ = ["NewStudy", "new_study"]
