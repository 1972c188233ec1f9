"""Contract and property: the simulated files are the bundled ones, and other seeds load too."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib

import pandas as pd
import pytest

from helpers.errors import DataContractError, ReportError
from helpers.paths import data_folder
from helpers.survey.load import load_study, open_folder
from helpers.survey.simulate import simulate_study
from helpers.survey.simulate.build import FEWEST
from helpers.survey.simulate.export import write_csv

BUNDLED = data_folder() / "online_shopping"
SIZE_LIMIT = 250_000
DOCUMENTATION = ("192.0.2.", "198.51.100.", "203.0.113.")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    return folder, simulate_study(folder)


@pytest.fixture(scope="module")
def study():
    return load_study("online_shopping")


def rows_of(path):
    text = gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_regenerated_files_are_byte_identical(written):
    folder, paths = written
    packed = [p for p in paths if p.suffix == ".gz"]
    assert len(packed) == 8
    for path in packed:
        bundled = BUNDLED / path.relative_to(folder)
        assert rows_of(path) == rows_of(bundled), path.name
        if "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # zlib-ng packs the same content differently
            assert path.read_bytes() == bundled.read_bytes(), path.name


def test_content_that_is_already_there_is_left_alone(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n", compresslevel=1))
    before = path.read_bytes()
    write_csv(path, [["a", "b"]])
    assert path.read_bytes() == before
    write_csv(path, [["a", "c"]])
    assert gzip.decompress(path.read_bytes()) == b"a,c\n"
    path.write_bytes(b"damaged")
    write_csv(path, [["a", "c"]])
    assert gzip.decompress(path.read_bytes()) == b"a,c\n"


def test_sums_of_the_study_file_are_those_of_the_files(study):
    spec = study.spec
    for source in [spec.data, *(m.source for m in spec.modules.values())]:
        content = (BUNDLED / source.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == source.sha256, source.file
        assert len(content) < SIZE_LIMIT


def test_gzip_headers_hold_no_time_and_no_name():
    for path in BUNDLED.glob("*/*.gz"):
        head = path.read_bytes()[:10]
        assert head[3] == 0 and head[4:8] == bytes(4), path.name


@pytest.mark.slow
def test_another_seed_gives_a_study_that_opens(study, tmp_path):
    simulate_study(tmp_path, seed=5, n=300)
    other = open_folder(tmp_path)
    assert len(other.raw) == 300
    assert other.truth["seed"] == 5 and other.truth["n"] == 300
    assert not other.raw["RSAT1"].iloc[:50].equals(study.raw["RSAT1"].iloc[:50])
    for module in other.spec.modules:
        assert other.module(module)["in_sample"].mean() > 0.9


def test_main_file_has_three_header_rows_and_all_items(study):
    rows = rows_of(BUNDLED / "raw" / "main.csv.gz")
    asked = study.items.loc[study.items["module"] == "main", "column"]
    assert set(asked) <= set(rows[0])
    assert rows[2][0] == '{"ImportId":"startDate","timeZone":"Asia/Shanghai"}'
    assert len(rows) == 3 + 1200
    assert {len(row) for row in rows} == {len(rows[0])}


def test_addresses_are_documentation_addresses_and_are_dropped_at_reading(study):
    rows = rows_of(BUNDLED / "raw" / "main.csv.gz")
    place = rows[0].index("IPAddress")
    given = [row[place] for row in rows[3:] if row[place]]
    assert given and all(a.startswith(DOCUMENTATION) for a in given)
    held = pd.concat([study.raw, study.responses], axis=1).astype(str)
    assert not held.apply(lambda c: c.str.startswith(DOCUMENTATION)).to_numpy().any()
    assert not {"IPAddress", "LocationLatitude"} & set(study.raw)


def test_module_respondents_are_known_from_the_main_file(study):
    known = set(study.raw["respondent_id"])
    for name in study.spec.modules:
        assert set(study.module(name)["respondent_id"]) <= known, name


@pytest.mark.parametrize(
    ("seed", "n", "found"),
    [(None, FEWEST - 1, f"n= is {FEWEST - 1}"), (-1, None, "seed= is -1")],
)
def test_impossible_requests_are_refused(tmp_path, seed, n, found):
    with pytest.raises(DataContractError, match=found):
        simulate_study(tmp_path, seed=seed, n=n)
    assert not list(tmp_path.iterdir())


def test_bundled_folder_keeps_its_seed():
    before = (BUNDLED / "raw" / "main.csv.gz").read_bytes()
    with pytest.raises(DataContractError, match="folder of its own"):
        simulate_study(BUNDLED, seed=5)
    assert (BUNDLED / "raw" / "main.csv.gz").read_bytes() == before


def test_folder_that_is_a_file_is_refused(tmp_path):
    blocked = tmp_path / "taken"
    blocked.write_text("x")
    with pytest.raises(ReportError, match="cannot be written"):
        simulate_study(blocked, n=FEWEST)
    assert blocked.read_text() == "x"
