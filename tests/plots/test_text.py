"""Contract: labels break at spaces, Chinese between characters, and nothing is lost."""

import pytest

from helpers.plots.text import display_width, wrap

LABELS = [
    ("Recovery satisfaction", 14, "Recovery\nsatisfaction"),
    ("Trust", 14, "Trust"),
    ("寻求额外信息型顾客", 10, "寻求额外信\n息型顾客"),
    ("服务补救质量 → 补救满意度 → 忠诚度", 26, "服务补救质量 → 补救满意度\n→ 忠诚度"),
    ("unbreakablelongword here", 8, "unbreakablelongword\nhere"),
]


@pytest.mark.parametrize(("text", "width", "lines"), LABELS)
def test_lines(text, width, lines):
    assert wrap(text, width) == lines


@pytest.mark.parametrize(("text", "width"), [(text, width) for text, width, _lines in LABELS])
def test_no_letter_is_lost(text, width):
    assert wrap(text, width).replace("\n", "").replace(" ", "") == text.replace(" ", "")


def test_a_hanzi_is_two_letters_wide():
    assert display_width("a满b") == 4
