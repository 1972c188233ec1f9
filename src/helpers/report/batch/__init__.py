"""Many reports from one configuration: ``study batch CONFIG.yml``."""

from helpers.report.batch.runner import BatchOutcome, run_batch
from helpers.report.batch.settings import Batch, read_batch

__all__ = ["Batch", "BatchOutcome", "read_batch", "run_batch"]
