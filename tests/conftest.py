"""One BLAS thread per test process: the matrices are small, and idle threads slow each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
