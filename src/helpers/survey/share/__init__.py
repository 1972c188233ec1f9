"""A shareable copy of a study: no ids, no texts, quasi-identifiers coarse enough to hide in."""

from helpers.survey.share.copy import SharedCopy, shared_copy

__all__ = ["SharedCopy", "shared_copy"]
