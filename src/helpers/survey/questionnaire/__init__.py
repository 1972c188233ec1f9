"""From codebook to questionnaire: the instrument, and the files that survey platforms read."""

from helpers.survey.questionnaire.instrument import Instrument, make_instrument
from helpers.survey.questionnaire.render import FORMATS, columns_of, render_text

__all__ = ["FORMATS", "Instrument", "columns_of", "make_instrument", "render_text"]
