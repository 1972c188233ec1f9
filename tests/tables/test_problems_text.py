"""Contract: problems of a solution are whole sentences, and stand one behind the other as such."""

from helpers.i18n import in_language
from helpers.tables.sem_sentences import problems_text

TWO = ("The variance of 'x' is below zero.", "The matrix is singular.")


def test_sentences_need_no_sign_between_them():
    with in_language("en"):
        assert problems_text(TWO) == "The variance of 'x' is below zero. The matrix is singular."
    with in_language("zh"):
        assert problems_text(("甲。", "乙。")) == "甲。乙。"
