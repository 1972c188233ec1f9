"""The main file: persons, answers, faults and the platform's own columns, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from helpers.study import StudyFolder
from helpers.survey.simulate import texts
from helpers.survey.simulate.answers import make_answers
from helpers.survey.simulate.contaminate import assign_kinds, spoil
from helpers.survey.simulate.draws import Draws
from helpers.survey.simulate.export import response_ids
from helpers.survey.simulate.latents import make_latents
from helpers.survey.simulate.people import make_people
from helpers.survey.simulate.population import Population

NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
"""Addresses set aside for documentation (RFC 5737); nobody has them."""

CITIES = (
    (31.2, 121.5, "上海-上海"),
    (39.9, 116.4, "北京-北京"),
    (23.1, 113.3, "广东-广州"),
    (30.6, 104.1, "四川-成都"),
    (30.3, 120.2, "浙江-杭州"),
    (34.3, 108.9, "陕西-西安"),
)
_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Main:
    """The main file before it is written, with what only tests may read.

    Attributes
    ----------
    metadata, cells : DataFrame
        The platform's columns and the answers, as text, one row a response, in file order.
    flags : DataFrame
        True faults, with ``respondent_id``, in the same order.
    persons, latents : DataFrame
        Honest answers and latent truth of the same rows.
    """

    metadata: pd.DataFrame
    cells: pd.DataFrame
    flags: pd.DataFrame
    persons: pd.DataFrame
    latents: pd.DataFrame


def make_main(study: StudyFolder, population: Population, *, seed: int, n: int) -> Main:
    """Make n responses of the main questionnaire."""
    spec = population["contamination"]
    n_double, n_preview = round(spec["duplicates"] * n), round(spec["previews"] * n)
    n_person = n - n_double
    people = make_people(population, seed, n_person)
    latents = make_latents(population, people, seed)
    items = study.items[study.items["module"] == "main"]
    reverse = frozenset(items.loc[items["reverse"], "item"])
    answers = make_answers(population, people, latents, seed, reverse)
    checks = {a.item: a.accept[0] for a in study.spec.screening.attention}
    answers = answers.assign(**checks, CONSENT=1, SCREEN=1)
    flags = assign_kinds(spec, n_person - n_preview, seed)
    flags = pd.concat([flags, pd.DataFrame({"kind": ["preview"] * n_preview})], ignore_index=True)
    language = np.where(
        Draws(seed, "language").chance(spec["english"], n_person), texts.ENGLISH, texts.CHINESE
    )
    answers["PANEL"] = [f"P{k:05d}" for k in 1 + Draws(seed, "panel").order(n_person)]
    answers["OPEN"] = _comments(spec, language, people["MEAS"].to_numpy(), flags, seed)
    cells = spoil(answers[items["item"].tolist()], flags, population, seed, checks)
    flags["source_row"] = np.arange(n_person)
    rows = _doubled(flags, n_double, seed)
    metadata = _metadata(population, flags, language, rows, seed)
    order = np.argsort(metadata["StartDate"].to_numpy(), kind="stable")
    place = rows["row"].to_numpy()[order]
    flags = flags.iloc[place].reset_index(drop=True)
    flags["kind"] = np.where(rows["double"].to_numpy()[order], "duplicate", flags["kind"])
    metadata = metadata.iloc[order].reset_index(drop=True)
    flags.insert(0, "respondent_id", metadata["ResponseId"])
    return Main(
        metadata=metadata,
        cells=cells.iloc[place].reset_index(drop=True),
        flags=flags.drop(columns="source_row"),
        persons=answers.iloc[place].reset_index(drop=True),
        latents=latents.iloc[place].reset_index(drop=True),
    )


def _comments(
    spec: dict, language: np.ndarray, measure: np.ndarray, flags: pd.DataFrame, seed: int
) -> np.ndarray:
    """Return free-text comments, most of them empty, a few of them hostile."""
    draws, n = Draws(seed, "open"), len(language)
    words = texts.comments(language, measure, seed)
    words = np.where(draws.chance(spec["comment"], n), words, "")
    honest = np.flatnonzero((flags["kind"] == "honest").to_numpy())
    places = honest[draws.order(len(honest))[: spec["hostile"]]]
    flags["hostile_text"] = np.isin(np.arange(n), places)
    return np.asarray(texts.with_hostile(words, places), dtype=object)


def _doubled(flags: pd.DataFrame, n_double: int, seed: int) -> pd.DataFrame:
    """Return the rows of the file: every person once, and some honest persons a second time."""
    honest = np.flatnonzero((flags["kind"] == "honest").to_numpy())
    again = np.sort(honest[Draws(seed, "doubles").order(len(honest))[:n_double]])
    n = len(flags)
    return pd.DataFrame(
        {
            "row": np.concatenate([np.arange(n), again]),
            "double": np.arange(n + n_double) >= n,
        }
    )


def _metadata(
    population: Population, flags: pd.DataFrame, language: np.ndarray, rows: pd.DataFrame, seed: int
) -> pd.DataFrame:
    draws, n = Draws(seed, "metadata"), len(rows)
    place, double = rows["row"].to_numpy(), rows["double"].to_numpy()
    kind = flags["kind"].to_numpy()[place]
    reached = flags["share_reached"].to_numpy()[place]
    period, spec = population["field_period"], population["contamination"]
    first = datetime.strptime(period["first_day"], "%Y-%m-%d")
    within = draws.integers(0, (period["days"] - 2) * 86400, len(flags))[place]
    start = within + np.where(double, draws.integers(*spec["seconds_to_second_answer"], n), 0)
    seconds = _seconds(spec, kind, reached, draws)
    address, city = _places(population, len(flags), seed)
    finished = kind != "unfinished"
    begins = [first + timedelta(seconds=int(s)) for s in start]
    ends = [b + timedelta(seconds=int(s)) for b, s in zip(begins, seconds, strict=True)]
    # the platform closes an unfinished response after a week
    kept = [e if f else e + timedelta(days=7) for e, f in zip(ends, finished, strict=True)]
    preview = kind == "preview"
    return pd.DataFrame(
        {
            "StartDate": [b.strftime(_TIME) for b in begins],
            "EndDate": [e.strftime(_TIME) for e in ends],
            "Status": np.where(preview, "1", "0"),
            "IPAddress": np.where(preview, "", address[place]),
            "Progress": np.where(finished, 100, np.round(100 * reached)).astype(int).astype(str),
            "Duration (in seconds)": seconds.astype(str),
            "Finished": np.where(finished, "1", "0"),
            "RecordedDate": [(k + timedelta(seconds=1)).strftime(_TIME) for k in kept],
            "ResponseId": response_ids(seed, "response ids", n),
            "LocationLatitude": [f"{CITIES[c][0]:.1f}" for c in city[place]],
            "LocationLongitude": [f"{CITIES[c][1]:.1f}" for c in city[place]],
            "DistributionChannel": np.where(preview, "preview", "anonymous"),
            "UserLanguage": np.where(language[place] == texts.CHINESE, "ZH-S", "EN"),
        }
    ).astype(object)


def _seconds(spec: dict, kind: np.ndarray, reached: np.ndarray, draws: Draws) -> np.ndarray:
    n, pace = len(kind), spec["seconds"]
    normal = draws.normal(n)
    careful = np.exp(pace["log_mean"] + pace["log_sd"] * normal)
    hurried = np.exp(pace["speeder_log_mean"] + pace["speeder_log_sd"] * normal)
    straight = np.exp(pace["straight_log_mean"] + pace["speeder_log_sd"] * normal)
    out = np.select([kind == "speeder", kind == "straight_liner"], [hurried, straight], careful)
    out = np.where(kind == "unfinished", out * reached, out)
    for name, (low, high) in spec["seconds_before_stop"].items():
        out = np.where(kind == name, draws.integers(low, high, n), out)
    return np.maximum(np.round(out), 5).astype(int)


def _places(population: Population, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a documentation address and a city for each person; a few share an address."""
    draws = Draws(seed, "places")
    number = draws.order(n)
    shared = draws.chance(population["contamination"]["shared_address"], n)
    number = np.where(shared, np.roll(number, 1), number)
    last = 254
    names = [f"{NETWORKS[(k // last) % len(NETWORKS)]}.{k % last + 1}" for k in number]
    return np.array(names, dtype=object), draws.integers(0, len(CITIES) - 1, n)
