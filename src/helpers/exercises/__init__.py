"""Exercises: what the right answer to each is, and what to look at again if it is not.

One module a notebook, ``nNN.py``, read when its first answer is checked.
"""

from helpers.exercises.registry import Graded, exercise, grade

__all__ = ["Graded", "exercise", "grade"]
