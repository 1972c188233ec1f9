"""Contract: `study diff` finds each changed number and names what can have changed it."""

import json
import shutil
from pathlib import Path

import pytest

from helpers.report.diff import compare_runs

pytestmark = pytest.mark.slow  # three runs

BEGIN = "from helpers.lesson import begin\nlesson = begin(study, language)"
RESULT = """\
import pandas as pd
from helpers.results import Number
mean = float(lesson.study.responses["SAT1"].mean())
rows = pd.DataFrame({"term": ["mean", "resamples"], "estimate": [mean, float(n_boot)]})
lesson.table(rows, id="means", caption="Means")
lesson.number(Number("mean", mean, "arithmetic mean", n_used=40))
lesson.say("Said.")"""
STILL = 'lesson.say("Always the same.")'


@pytest.fixture(scope="module")
def runs(module_project):
    """Three runs: the first, one with another parameter, one on changed answers."""
    import hashlib

    from helpers.cli import main

    p = module_project
    p.notebook("20_result", BEGIN, "## Result", RESULT)
    p.notebook("30_still", BEGIN.replace(", language", ", language"), STILL, parameters=(
        'study: str = "toy"  # a folder\nlanguage: str = "en"  # en or zh'
    ))  # fmt: skip
    assert main(["run", "toy", "--out", str(p.root / "a")]) == 0
    assert main(["run", "toy", "--set", "n_boot=200", "--out", str(p.root / "b")]) == 0
    answers = p.root / "data" / "toy" / "raw" / "answers.csv"
    before = answers.read_bytes()
    after = before.replace(b"\n1,", b"\n7,", 1)
    answers.write_bytes(after)
    spec = p.root / "data" / "toy" / "study.yml"
    text = spec.read_text(encoding="utf-8")
    old, new = (hashlib.sha256(data).hexdigest() for data in (before, after))
    spec.write_text(text.replace(old, new), encoding="utf-8")
    assert main(["run", "toy", "--out", str(p.root / "c")]) == 0
    return {k: str(next((p.root / k / "toy").iterdir())) for k in ("a", "b", "c")}


def test_a_run_is_the_same_as_itself(runs, study):
    code, out, _ = study("diff", runs["a"], runs["a"])
    assert code == 0
    assert out.strip().startswith("0 results differ")


def test_a_parameter_explains_its_number_and_no_other(runs, study):
    code, out, _ = study("diff", runs["a"], runs["b"], "--json")
    found = json.loads(out)
    assert code == 1
    assert [(c["notebook"], c["place"], c["column"]) for c in found["changes"]] == [
        ("20_result", "table means [resamples]", "estimate")
    ]
    change = found["changes"][0]
    assert (change["before"], change["after"]) == (100.0, 200.0)
    assert change["causes"] == ["parameter n_boot 100 -> 200"]


def test_changed_answers_are_named_as_the_cause(runs, study):
    code, out, _ = study("diff", runs["a"], runs["c"])
    assert code == 1
    assert "data changed: raw/answers.csv" in out
    assert "table means [mean], estimate" in out
    assert "number [mean], value" in out
    assert "30_still" not in out.replace("30_still: only", "")


def test_changed_code_is_named_by_its_room_and_for_its_notebook_only(runs, study, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(runs["a"], other)
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    entry = manifest["notebooks"]["20_result"]
    assert {"helpers.lesson", "helpers.locale"} <= set(entry["code"])
    entry["code"] |= {"helpers.lesson": "0" * 64, "helpers.locale": "0" * 64}
    entry["made_from"]["notebook"] = "0" * 64
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    results = json.loads((other / "results.json").read_text(encoding="utf-8"))
    results["notebooks"]["20_result"]["numbers"][0]["value"] += 0.1
    (other / "results.json").write_text(json.dumps(results), encoding="utf-8")
    code, out, _ = study("diff", runs["a"], str(other), "--json")
    assert code == 1
    (change,) = json.loads(out)["changes"]
    assert change["place"] == "number [mean]"
    assert change["causes"] == [
        "notebook changed", "code of helpers.lesson changed", "translations changed",
    ]  # fmt: skip


def test_a_notebook_in_one_run_only_is_said(runs, study, tmp_path):
    short = tmp_path / "short"
    shutil.copytree(runs["a"], short)
    results = json.loads((short / "results.json").read_text(encoding="utf-8"))
    del results["notebooks"]["30_still"]
    (short / "results.json").write_text(json.dumps(results), encoding="utf-8")
    code, out, _ = study("diff", runs["a"], str(short))
    assert code == 1
    assert "30_still: only in the first run" in out


def test_a_folder_without_a_run_is_wrong_use(tmp_path, runs, study):
    code, _, err = study("diff", str(tmp_path), runs["a"])
    assert code == 2
    assert "holds no results.json of a run" in err
    code, _, err = study("diff", runs["a"] + "/index.html", runs["a"])
    assert code == 2
    assert "index.html holds no results.json of a run" in err


@pytest.mark.parametrize(
    "text",
    [
        '{"notebooks": [1]}', '{"notebooks": {"20_result": [1]}}', "[1]", '{"notebooks": 3',
        '{"notebooks": {"20_result": {"tables": [{"id": 3}]}}}',
        '{"notebooks": {"20_result": {"numbers": 3}}}',
    ],
)  # fmt: skip
def test_broken_results_are_told_in_a_sentence(tmp_path, runs, study, text):
    other = copied(runs["a"], tmp_path)
    (other / "results.json").write_text(text, encoding="utf-8")
    code, _, err = study("diff", runs["a"], str(other))
    assert code == 2
    assert "results.json" in err and "the folder of a finished run is needed" in err


def copied(run, folder, **entry):
    """Copy a run; change what its manifest says of the notebook 20_result."""
    other = Path(shutil.copytree(run, folder / "copy"))
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    for key, values in entry.items():
        manifest["notebooks"]["20_result"][key] |= values
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return other


def causes(runs, other):
    return {k: [c.text for c in v] for k, v in compare_runs(Path(runs["a"]), other).unlike.items()}


def test_versions_are_those_of_the_notebook_and_not_of_the_last_call(runs, tmp_path):
    other = copied(runs["a"], tmp_path, made_from={"versions": {"numpy": "9.9"}})
    found = causes(runs, other)
    assert any(text.startswith("version numpy ") for text in found["20_result"])
    assert "30_still" not in found


def test_kernels_of_another_kind_are_named(runs, tmp_path):
    kind = {"forked": "ordinary", "ordinary": "forked"}
    stored = json.loads(Path(runs["a"], "manifest.json").read_text(encoding="utf-8"))
    was = stored["notebooks"]["20_result"]["made_from"]["kernels"]
    other = copied(runs["a"], tmp_path, made_from={"kernels": kind[was]})
    assert causes(runs, other) == {"20_result": [f"kernels {was} -> {kind[was]}"]}


def test_other_respondents_are_one_cause(runs, tmp_path):
    part = "toy where SAT1 = 1"
    other = copied(runs["a"], tmp_path, parameters={"study": part})
    assert causes(runs, other) == {"20_result": [f"study toy -> {part}"]}


def test_two_languages_are_said(runs, study, tmp_path):
    other = copied(runs["a"], tmp_path)
    path = other / "manifest.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"language": "en"', '"language": "zh"', 1),
        encoding="utf-8",
    )
    code, out, _ = study("diff", runs["a"], str(other))
    assert code == 0 and "numbers were compared, words were not" in out
