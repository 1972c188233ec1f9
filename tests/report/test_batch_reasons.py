"""Hand-made trees: what a notebook depends on, and the words for what has changed."""

import os
from dataclasses import replace

import nbformat
import pytest

from helpers.report import codehash
from helpers.report.cache import Cache
from helpers.report.codehash import notebook_hash, room_hashes
from helpers.report.execute import Executed, Failure
from helpers.report.facts import Facts, facts_of, reasons


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package ``helpers`` of a few files, each with one reason to be there."""
    root = tmp_path / "helpers"
    files = {
        "__init__.py": "",
        "top.py": "from helpers.room import open_it\nfrom helpers.low import f\n",
        "low.py": "def f():\n    from helpers.late import g\n    return g\n",
        "late.py": "import json\n",
        "room/__init__.py": 'HOMES = {"open_it": "helpers.room.hidden"}\n',
        "room/hidden.py": "x = 1\n",
        "room/beside.py": "x = 1\n",
        "typed.py": "x = 1\n",
        "checked.py": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import helpers.typed\n",
        "exercises/__init__.py": "",
        "exercises/registry.py": "",
        "exercises/n10.py": "",
        "exercises/n20.py": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(codehash, "PACKAGE", root)
    codehash._file.cache_clear()
    yield root
    codehash._file.cache_clear()


def notebook(folder, *sources, name="10_a.ipynb"):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    nbformat.write(book, folder / name)
    return folder / name


def reached(path):
    return codehash._reached(frozenset(codehash._imports(codehash._code_of(path))), path.name[:2])


def test_imports_are_followed_into_functions_and_lazy_homes(package, tmp_path):
    path = notebook(tmp_path, "%matplotlib inline\nfrom helpers.top import x", "%%bash\nls")
    assert reached(path) == {
        "helpers", "helpers.top", "helpers.low", "helpers.late", "helpers.room",
        "helpers.room.hidden",
    }  # fmt: skip
    assert reached(notebook(tmp_path, "import helpers.checked")) == {"helpers", "helpers.checked"}
    assert reached(notebook(tmp_path, "import pandas")) == set()


def test_exercises_of_the_notebook_and_of_no_other(package, tmp_path):
    path = notebook(tmp_path, "from helpers.exercises import registry")
    assert "helpers.exercises.n10" in reached(path)
    assert "helpers.exercises.n20" not in reached(path)


def test_only_the_room_that_changed_has_another_hash(package, tmp_path):
    path = notebook(tmp_path, "from helpers.top import x")
    before = room_hashes(path)
    (package / "room" / "beside.py").write_text("x = 2\n")  # not reached
    assert room_hashes(path) == before
    (package / "room" / "hidden.py").write_text("x = 22\n")
    after = room_hashes(path)
    assert {room for room in after if after[room] != before[room]} == {"helpers.room"}


def test_outputs_are_no_part_of_a_notebook(tmp_path):
    path = notebook(tmp_path, "1 + 1")
    before = notebook_hash(path)
    book = nbformat.read(path, as_version=4)
    book.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    nbformat.write(book, path)
    os.utime(path, (1, 1))
    assert notebook_hash(path) == before
    assert notebook_hash(notebook(tmp_path, "1 + 2", name="11_b.ipynb")) != before


FACTS = Facts("n", {"n_boot": 2000, "word": ""}, "d", {"helpers.sem": "1"}, {"pandas": "3.1.1"},
              "forked")  # fmt: skip


def test_each_change_has_its_words():
    now = replace(
        FACTS, notebook="m", data="e", parameters={"n_boot": 5000, "word": "a"},
        code={"helpers.sem": "2", "helpers.plots": "1"}, versions={"pandas": "3.1.2"},
        kernels="ordinary",
    )  # fmt: skip
    assert reasons(FACTS.as_dict(), now) == [
        "notebook changed", "data changed", "parameter n_boot 2000 -> 5000",
        "parameter word '' -> a", "code of helpers.plots, helpers.sem changed",
        "pandas 3.1.1 -> 3.1.2", "kernels forked -> ordinary",
    ]  # fmt: skip
    assert reasons(FACTS.as_dict(), FACTS) == []
    assert reasons({}, FACTS) == ["not run before"]
    assert now.key() != FACTS.key() == replace(FACTS).key()


def test_where_work_is_done_changes_nothing(tmp_path):
    path = notebook(tmp_path, "1")
    ask = {"data": "d", "forked": True}
    here = facts_of(path, parameters={"seed": 1, "scheduler": ""}, **ask)
    there = facts_of(path, parameters={"seed": 1, "scheduler": "tcp://host:1"}, **ask)
    assert here.key() == there.key()
    assert here.key() != facts_of(path, parameters={"seed": 2, "scheduler": ""}, **ask).key()


def executed(text="x", failure=None):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    return Executed(book, 1.5, failure)


def test_the_cache_gives_back_what_was_put_and_keeps_no_failure(tmp_path):
    cache = Cache(tmp_path)
    assert cache.get("ab12") is None
    cache.put("ab12", executed("满意"))
    found = cache.get("ab12")
    assert found.notebook.cells[0].source == "满意"
    assert found.seconds == 1.5
    cache.put("cd34", executed(failure=Failure("error", "E", "")))
    assert cache.get("cd34") is None


def test_a_torn_file_of_the_cache_counts_as_not_there(tmp_path):
    cache = Cache(tmp_path)
    cache.put("ab12", executed("x" * 5000))
    path = next(tmp_path.rglob("*.json.gz"))
    for size in (0, 10, path.stat().st_size - 4):
        path.write_bytes(path.read_bytes()[:size])
        assert cache.get("ab12") is None


def test_the_cache_drops_what_was_used_longest_ago(tmp_path):
    cache = Cache(tmp_path)
    keys = [f"{i:02d}key" for i in range(10)]
    for age, key in enumerate(keys):
        cache.put(key, executed(os.urandom(2000).hex()))
        os.utime(tmp_path / ".cache" / key[:2] / f"{key}.json.gz", (age + 1, age + 1))
    cache.get(keys[0])  # used again: the newest now
    total = sum(p.stat().st_size for p in tmp_path.rglob("*.json.gz"))
    assert Cache(tmp_path, most_bytes=total).prune() == 0
    assert Cache(tmp_path, most_bytes=int(total * 0.55)).prune() == 6
    assert [key for key in keys if cache.get(key)] == [keys[0], *keys[7:]]
