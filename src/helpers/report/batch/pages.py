"""The batch's own pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpers.report import manifest
from helpers.report.batch.expand import Report
from helpers.report.batch.settings import Batch
from helpers.report.folder import write_whole

BATCH = "batch.json"


def write_pages(
    batch: Batch, reports: Sequence[Report], lines: Mapping[str, Mapping[str, Any]],
    left: Sequence[str],
) -> None:  # fmt: skip
    """Write ``batch.json``, the index and the comparison for what is there."""
    whole = {
        "name": batch.name,
        "study": batch.spec.study,
        "settings": batch.spec.model_dump(mode="json"),
        "reports": [lines[r.name] for r in reports if r.name in lines],
        "left": list(left),
    }
    write_whole(batch.folder / BATCH, manifest.as_json(whole))
