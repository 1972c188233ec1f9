"""Contract: a study opened ahead is handed out while its files are as they were, and only then."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from helpers.i18n import LANGUAGES, in_language
from helpers.survey import load, opened

DATA = Path(__file__).parents[2] / "data"
STUDY = "online_shopping"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with a copy of one study; nothing kept before or after."""
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(DATA / STUDY, tmp_path / "data" / STUDY)
    monkeypatch.setenv("STUDY_ROOT", str(tmp_path))
    monkeypatch.setattr(opened, "_kept", {})
    return tmp_path / "data" / STUDY


def test_nothing_is_kept_unasked(folder):
    assert load.load_study(STUDY) is not load.load_study(STUDY)


@pytest.mark.slow
def test_what_was_opened_ahead_is_the_same_as_what_is_opened_now(folder):
    fresh = load.load_study(STUDY)
    assert opened.keep_open(STUDY)
    kept = load.load_study(STUDY)
    assert kept is load.load_study(STUDY) is not fresh
    for language in LANGUAGES:
        with in_language(language):
            pd.testing.assert_frame_equal(kept.responses, fresh.responses)
            pd.testing.assert_frame_equal(kept.marked, fresh.marked)
            pd.testing.assert_frame_equal(kept.flow, fresh.flow)


@pytest.mark.slow
def test_a_part_of_the_respondents_is_taken_from_it(folder):
    part = f"{STUDY} where platform = 2"
    fresh = load.load_study(part)
    opened.keep_open(part)
    kept = load.load_study(part)
    assert kept.whole is load.load_study(STUDY)
    pd.testing.assert_frame_equal(kept.responses, fresh.responses)
    pd.testing.assert_frame_equal(kept.marks.table, fresh.marks.table)


def test_a_changed_file_ends_it(folder):
    opened.keep_open(STUDY)
    before = load.load_study(STUDY)
    path = folder / "study.yml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert load.load_study(STUDY) is not before


def test_a_faulty_study_is_left_to_the_notebook(folder):
    (folder / "study.yml").write_text("id: [", encoding="utf-8")
    assert not opened.keep_open(STUDY)


def test_few_are_kept(folder, monkeypatch):
    monkeypatch.setattr(opened, "MOST", 1)
    shutil.copytree(DATA / "ecsi_mobile", folder.parent / "ecsi_mobile")
    opened.keep_open(STUDY)
    opened.keep_open("ecsi_mobile")
    assert [key[0].name for key in opened._kept] == ["ecsi_mobile"]
