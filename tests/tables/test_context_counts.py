"""Contract: hidden counts of contexts are not told apart by how they are hidden; none is said."""

from types import SimpleNamespace as Stub

import pandas as pd

from helpers.errors import Unavailable
from helpers.service.segments import context_counts
from helpers.survey.load import load_study
from helpers.survey.small_cells import guard_small_cells
from helpers.tables.service_segments import context_table


def test_hidden_counts_bear_one_sign():
    """A sign "< 5" on both 3 and 4 beside their known sum of 7 would leave two possible tables."""
    study = load_study("online_shopping")
    item = study.spec.service.segments.context[0]
    counts = pd.DataFrame({1: [233, 120, 39, 61], 2: [23, 19, 3, 4]}, index=[1.0, 2.0, 3.0, 4.0])
    shown = context_table({item: guard_small_cells(counts, 5)}, study)
    assert [row[2] for row in shown.cells] == ["23", "19", "–", "–"]
    assert [row[1] for row in shown.cells] == ["233", "120", "–", "–"]
    assert "below 5" in shown.note and "(4 in all)" in shown.note


def test_a_study_without_contexts_says_so():
    study = Stub(spec=Stub(service=Stub(segments=Stub(context=[]))))
    counts = context_counts(study, Stub())
    assert isinstance(counts, Unavailable) and "names no context" in counts.why
    assert context_table(counts, study) is counts
