"""Rendering: notebooks run in fresh kernels, their results become pages, tables and figures.

The only room that imports papermill.
"""

import sys

# nbformat's schema library compiles a grammar for international addresses when it is imported,
# which takes over a second and which no notebook needs; without the module it does without.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
