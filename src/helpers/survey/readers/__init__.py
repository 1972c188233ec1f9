"""Read a survey platform's export into metadata, answers and reasons for blanks."""

from helpers.survey.readers.intake import Intake, read_source

__all__ = ["Intake", "read_source"]
