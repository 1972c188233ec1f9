"""Contract: the description of a run for machines is whole, true, and names no person."""

import hashlib
import json
import shutil

import pytest

from helpers.report.crate import is_whole

pytestmark = pytest.mark.slow  # a run

BEGIN = "from helpers.lesson import begin\nlesson = begin(study, language)"


@pytest.fixture(scope="module")
def crate(module_project):
    from helpers.cli import main

    p = module_project
    p.notebook("20_result", BEGIN, "## Result", "lesson.say('Found.')")
    p.notebook("30_fails", BEGIN, "1 / 0")
    assert main(["run", "toy", "--set", "n_boot=7"]) == 1
    folder = p.root / "reports" / "toy" / "en_n_boot-7"
    return folder, json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))


def entities(crate):
    return {entity["@id"]: entity for entity in crate[1]["@graph"]}


def test_every_file_is_described_with_its_sum(crate):
    folder, _ = crate
    found = {k: e for k, e in entities(crate).items() if e["@type"] == "File"}
    there = {
        p.relative_to(folder).as_posix(): p
        for p in folder.rglob("*")
        if p.is_file() and not p.name.startswith((".", "ro-crate"))
    }
    assert found.keys() == there.keys()
    for name, path in there.items():
        assert found[name]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert found[name]["contentSize"] == str(path.stat().st_size)


def test_every_reference_leads_to_an_entity(crate):
    known = {*entities(crate), "https://w3id.org/ro/crate/1.2"}

    def references(value):
        if isinstance(value, dict):
            if set(value) == {"@id"}:
                yield value["@id"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for entity in crate[1]["@graph"]:
        for target in references({k: v for k, v in entity.items() if k != "@id"}):
            assert target in known or target.startswith("http://schema.org/"), target


def test_the_actions_say_what_ran_on_what(crate):
    found = entities(crate)
    good, bad = found["#run/20_result"], found["#run/30_fails"]
    assert good["actionStatus"]["@id"].endswith("CompletedActionStatus")
    assert bad["actionStatus"]["@id"].endswith("FailedActionStatus")
    assert "division by zero" in bad["error"]
    assert found["#parameter/20_result/n_boot"]["value"] == 7
    assert {"@id": "#input/raw/answers.csv"} in good["object"]
    assert {"@id": "20_result.html"} in good["result"]


def test_the_root_is_as_the_specification_asks(crate):
    found = entities(crate)
    assert found["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    root = found["./"]
    for key in ("name", "description", "datePublished", "license", "hasPart", "mentions"):
        assert root[key], key
    assert root["description"].startswith("SIMULATED")
    profile = found[root["conformsTo"]["@id"]]
    assert (profile["name"], profile["version"]) == ("Process Run Crate", "0.5")
    ids = [entity["@id"] for entity in crate[1]["@graph"]]
    assert len(set(ids)) == len(ids)


def test_no_person_is_named(crate):
    assert not {"author", "agent", "creator"} & {key for e in crate[1]["@graph"] for key in e}


@pytest.mark.parametrize("deed", ["gone", "cut"])
def test_a_file_that_is_gone_or_cut_short_is_noticed(crate, tmp_path, deed):
    folder = shutil.copytree(crate[0], tmp_path / "copy")
    assert is_whole(folder)
    page = folder / "20_result.html"
    if deed == "gone":
        page.unlink()
    else:
        page.write_bytes(page.read_bytes()[:-1])
    assert not is_whole(folder) and not is_whole(tmp_path)
