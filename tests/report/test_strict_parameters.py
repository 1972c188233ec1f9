"""Contract: a parameter is checked against the notebooks before anything runs."""

import nbformat
import pytest

from helpers.errors import ReportError
from helpers.report.parameters import assign, declared, parse_settings, typed
from helpers.report.request import make_request, select_notebooks

ALLOWED = {
    "50_model.ipynb": {"study": "str", "n_boot": "int", "share": "float"},
    "51_mediation.ipynb": {"study": "str", "n_boot": "int", "deep": "bool"},
}


def test_declared_names_and_types(project):
    path = project.notebook("50_model", parameters='n: int = 3  # help\nm = 2.5\ns = "a"')
    assert declared(path) == {"n": "int", "m": "float", "s": "str"}


def test_a_line_papermill_passes_over_is_an_error(project):
    path = project.notebook("50_model", parameters="n: int = 3\nflag: bool = 2 == 2")
    with pytest.raises(ReportError, match=r"50_model\.ipynb: parameters cell, flag"):
        declared(path)


def test_a_parameter_goes_to_the_notebooks_that_have_it():
    given = assign({"n_boot": "200", "deep": "true"}, ALLOWED)
    assert given == {
        "50_model.ipynb": {"n_boot": 200},
        "51_mediation.ipynb": {"n_boot": 200, "deep": True},
    }


def test_an_unknown_name_lists_the_known_and_the_nearest():
    with pytest.raises(ReportError) as caught:
        assign({"n_bot": "200"}, ALLOWED)
    message = str(caught.value)
    assert "n_boot (int; in 50 51)" in message
    assert "Did you mean 'n_boot'?" in message
    assert "study (" not in message  # has an argument of its own


@pytest.mark.parametrize(
    ("value", "kind"),
    [("2.5", "int"), ("two", "int"), (True, "int"), (2.5, "int"), ("x", "float"), (True, "float"),
     ("maybe", "bool"), (1, "bool"), (3, "str"), ("{}", "list")],
)  # fmt: skip
def test_a_wrong_type_is_refused(value, kind):
    with pytest.raises(ValueError):
        typed(value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [("12", "int", 12), (12, "float", 12.0), ("1e-3", "float", 0.001), ("no", "bool", False),
     ("007", "str", "007"), ("[1, 2]", "list[int]", [1, 2])],
)  # fmt: skip
def test_a_value_is_read_in_the_declared_type(value, kind, expected):
    found = typed(value, kind)
    assert found == expected
    assert type(found) is type(expected)


def test_every_fault_is_told_at_once():
    with pytest.raises(ReportError) as caught:
        assign({"n_boot": "many", "colour": "red"}, ALLOWED)
    assert "n_boot" in str(caught.value)
    assert "colour" in str(caught.value)


@pytest.mark.parametrize("settings", [["n_boot"], ["=3"], ["a b=3"], ["n=1", "n=2"]])
def test_a_setting_needs_name_and_value_once(settings):
    with pytest.raises(ReportError):
        parse_settings(settings)


@pytest.mark.parametrize("name", ["study", "language"])
def test_study_and_language_are_not_set_as_parameters(project, name):
    with pytest.raises(ReportError, match=name):
        make_request(settings={name: "x"})


def test_config_with_unknown_key_or_type_is_refused(project, tmp_path):
    config = tmp_path / "night.yml"
    for text in ("studdy: toy", "workers: two", "parameters: [1]", "study: {"):
        config.write_text(text)
        with pytest.raises(ReportError, match=r"night\.yml"):
            make_request(config=str(config))


def test_the_command_line_wins_over_the_config(project, tmp_path):
    config = tmp_path / "night.yml"
    config.write_text(
        "study: toy\nlanguage: zh\nparameters: {n_boot: 50, share: 0.2}\nonly: [5, 50]"
    )
    request = make_request(config=str(config), settings={"n_boot": "70"}, language="en")
    assert (request.study, request.language, request.only) == ("toy", "en", ("05", "50"))
    assert request.parameters == {"n_boot": "70", "share": 0.2}
    assert request.run == "night_n_boot-70"


def test_different_settings_have_different_folders(project):
    names = {
        make_request(settings={"group": value}).run
        for value in ("a/b", "a-b", "a b", "../x", "{y}")
    }
    assert len(names) == 5
    assert not any(set(name) & set("/\\{} ") or ".." in name for name in names)


def test_an_unknown_notebook_number_lists_the_numbers(project):
    project.notebook("10_a")
    project.notebook("20_b")
    assert [p.stem for p in select_notebooks(["20"])] == ["20_b"]
    with pytest.raises(ReportError, match="10, 20"):
        select_notebooks(["30"])


def test_wrong_use_ends_with_two_and_leaves_no_folder(project, study):
    project.notebook("10_a")
    for wrong in (
        ["nothere"], ["toy", "--set", "n_bot=3"], ["toy", "--set", "n_boot=x"],
        ["toy", "--only", "77"], ["toy", "--language", "de"], ["toy", "--format", "odt"],
        ["toy", "--workers", "0"], ["toy", "--config", "nothere"],
    ):  # fmt: skip
        code, _out, err = study("run", *wrong)
        assert code == 2, wrong
        assert err.strip()
    assert not (project.root / "reports").exists()


def test_where_the_work_is_done_is_no_part_of_the_name():
    """The numbers are the same on a cluster, so the run is too."""
    here = make_request("x", settings={"n_boot": 5})
    there = make_request("x", settings={"n_boot": 5, "scheduler": "tcp://192.0.2.1:8786"})
    assert here.run == there.run
    assert there.parameters["scheduler"] == "tcp://192.0.2.1:8786"


@pytest.mark.parametrize("damage", ["no kernel", "cut off", "empty", "a list"])
def test_a_notebook_that_cannot_be_read_is_named(tmp_path, damage):
    """papermill ends with a bare ValueError where a stripped notebook names no kernel."""
    tagged = nbformat.v4.new_code_cell("a: int = 1", metadata={"tags": ["parameters"]})
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[tagged]))
    path = tmp_path / "10_bad.ipynb"
    contents = {"no kernel": text, "cut off": text[:-20], "empty": "", "a list": "[]"}
    path.write_text(contents[damage])
    with pytest.raises(ReportError, match="10_bad.ipynb: papermill cannot read the file"):
        declared(path)
