"""The further files: SERVQUAL and Kano pairs, the follow-up and the pilot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from helpers.study import StudyFolder
from helpers.survey.simulate.draws import Draws, by_code, steps
from helpers.survey.simulate.main_file import CITIES, Main
from helpers.survey.simulate.people import NO_RECOVERY
from helpers.survey.simulate.population import Population

DIMENSIONS = ("TAN", "REL", "RSP", "ASS", "EMP")
LIKE, MUST, NEUTRAL, LIVE_WITH, DISLIKE = 1, 2, 3, 4, 5
KANO_ANSWERS = {
    "must-be": ((MUST, NEUTRAL, LIVE_WITH), (DISLIKE,)),
    "one-dimensional": ((LIKE,), (DISLIKE,)),
    "attractive": ((LIKE,), (MUST, NEUTRAL, LIVE_WITH)),
    "indifferent": ((MUST, NEUTRAL, LIVE_WITH), (MUST, NEUTRAL, LIVE_WITH)),
    "reverse": ((DISLIKE,), (LIKE, MUST, NEUTRAL, LIVE_WITH)),
}
"""Class -> answers to the functional and to the dysfunctional question that lead to it
(Kano et al. 1984, doi:10.20684/quality.14.2_147)."""

WENJUANXING_ID = "1、问卷编号"
_WENJUANXING = ("序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP")
_CHANNELS = ("微信", "手机提交", "链接")


def honest(main: Main) -> np.ndarray:
    """Return the places of those who take part in further modules: honest, finished, once."""
    return np.flatnonzero((main.flags["kind"] == "honest").to_numpy())


def make_servqual(
    study: StudyFolder, population: Population, main: Main, seed: int
) -> Iterable[list[str]]:
    """Yield the rows of the SERVQUAL module in Wenjuanxing's text form."""
    spec = population["modules"]["servqual"]
    draws = Draws(seed, "servqual")
    people = honest(main)
    people = people[draws.chance(spec["share"], len(people))]
    answers = _servqual_answers(spec, population["measurement"], main.latents.iloc[people], seed)
    items = study.items[study.items["module"] == "servqual"]
    columns = dict(zip(items["item"], items["column"], strict=True))
    labels = {code: text.zh for code, text in study.spec.scales["agree7"].labels.items()}
    order = draws.order(len(people))
    yield [*_WENJUANXING, WENJUANXING_ID, *(columns[item] for item in items["item"])]
    head = _wenjuanxing_metadata(spec, main, people, draws)
    cells = answers[items["item"].tolist()].map(labels.__getitem__).to_numpy(dtype=object)
    numbers = np.cumsum(1 + draws.chance(spec["deleted"], len(people)))
    for number, row in zip(numbers, order, strict=True):
        name = main.metadata["ResponseId"].iloc[people[row]]
        yield [str(number), *head[row], name, *cells[row]]


def _servqual_answers(
    spec: dict, measurement: dict, latents: pd.DataFrame, seed: int
) -> pd.DataFrame:
    n = len(latents)
    thresholds = np.asarray(measurement["thresholds"][spec["profile"]])
    own = np.sqrt(1 - spec["loading"] ** 2)
    wish, view = Draws(seed, "wishes").normal(n), Draws(seed, "views").normal(n)
    on_osat = spec["perceived_on_osat"]
    view = on_osat * latents["OSAT"].to_numpy() + np.sqrt(1 - on_osat**2) * view
    share = spec["shared"]
    out = {}
    for dimension in DIMENSIONS:
        for letter, common, shift in (
            ("E", wish, spec["expected_shift"]),
            ("P", view, spec["perceived_shift"][dimension]),
        ):
            draws = Draws(seed, dimension + letter)
            factor = np.sqrt(share) * common + np.sqrt(1 - share) * draws.normal(n)
            for k in (1, 2, 3):
                latent = spec["loading"] * factor + own * draws.normal(n)
                out[f"{dimension}{letter}{k}"] = steps(latent, thresholds + shift)
    return pd.DataFrame(out)


def _wenjuanxing_metadata(
    spec: dict, main: Main, people: np.ndarray, draws: Draws
) -> list[list[str]]:
    """Return time, duration, channel, detail and address as the platform writes them."""
    n = len(people)
    seconds = np.exp(spec["seconds"]["log_mean"] + spec["seconds"]["log_sd"] * draws.normal(n))
    later = draws.integers(*spec["seconds_after_main"], n)
    channel = draws.integers(0, len(_CHANNELS) - 1, n)
    cities = {f"{latitude:.1f}": name for latitude, _, name in CITIES}
    out = []
    for k, person in enumerate(people):
        row = main.metadata.iloc[person]
        at = datetime.strptime(row["EndDate"], "%Y-%m-%d %H:%M:%S") + timedelta(
            seconds=int(later[k])
        )
        stamp = f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}"
        address = f"{row['IPAddress']}({cities[row['LocationLatitude']]})"
        out.append([stamp, f"{round(seconds[k])}秒", _CHANNELS[channel[k]], "N/A", address])
    return out


def make_kano(population: Population, main: Main, seed: int) -> pd.DataFrame:
    """Return pairs of Kano answers, drawn from each attribute's shares of classes."""
    spec = population["modules"]["kano"]
    draws = Draws(seed, "kano")
    people = honest(main)
    people = people[draws.chance(spec["share"], len(people))]
    n, classes = len(people), list(KANO_ANSWERS)
    out = {"respondent_id": main.metadata["ResponseId"].to_numpy()[people]}
    for k, shares in enumerate(spec["attributes"], start=1):
        kind = draws.choice(shares, n) - 1
        for side, letter in enumerate("FD"):
            pick = draws.uniform(n)
            options = [KANO_ANSWERS[classes[c]][side] for c in kind]
            answer = np.array([o[int(u * len(o))] for o, u in zip(options, pick, strict=True)])
            slip = draws.chance(spec["slip"] / 2, n)
            out[f"K{letter}{k:02d}"] = np.where(slip, draws.integers(1, 5, n), answer)
    return pd.DataFrame(out)


def make_followup(population: Population, main: Main, seed: int) -> pd.DataFrame:
    """Return purchases before and after, and satisfaction half a year on, of those who answer."""
    people = honest(main)
    persons, latents = main.persons.iloc[people], main.latents.iloc[people]
    table = followup_table(population, persons, latents, seed)
    table.insert(0, "respondent_id", main.metadata["ResponseId"].to_numpy()[people])
    answered = table.pop("answered").to_numpy()
    return table[answered].reset_index(drop=True)


def followup_table(
    population: Population, persons: pd.DataFrame, latents: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return the follow-up of everybody, with who answers in ``answered``."""
    spec = population["modules"]["followup"]
    draws, n = Draws(seed, "followup"), len(persons)
    rate = spec["rate"]
    usual = np.exp(np.round(
        rate["log_mean"]
        + rate["by_presat"] * latents["PRESAT"].to_numpy()
        + rate["by_log_frequency"] * np.log1p(persons["FREQ"].to_numpy())
        + rate["log_sd"] * draws.normal(n), 9,
    ))  # fmt: skip
    group = np.where(persons["MEAS"].to_numpy() == NO_RECOVERY, 0, 1)
    growth = by_code(spec["offsets"]["purchases"], group)
    growth = np.exp(np.round(growth + spec["loyalty"] * latents["LOY"].to_numpy(), 9))
    before, after = draws.poisson(usual), draws.poisson(usual * growth)
    price = _prices(spec, group, draws)
    answered = draws.chance(_response(spec["response"], persons), n)
    rating = spec["rating"]
    return pd.DataFrame({
        "FU_PRE_N": before,
        "FU_PRE_CNY": np.round(before * price[0]).astype(int),
        "FU_POST_N": after,
        "FU_POST_CNY": np.round(after * price[1]).astype(int),
        "FU_RSAT": _drifted(persons["RS5"], rating["rs5_drift"], rating["noise"], draws),
        "FU_OSAT": _drifted(persons["OS5"], rating["os5_drift"], rating["noise"], draws),
        "answered": answered,
    })  # fmt: skip


def _prices(spec: dict, group: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return each person's usual price of a purchase, before and after."""
    ticket, n = spec["ticket"], len(group)
    price = np.exp(ticket["log_mean"] + ticket["log_sd"] * draws.normal(n))
    dearer = np.exp(by_code(spec["offsets"]["ticket"], group))
    # the mean of exp(sd * z - sd**2 / 2) is 1, so that prices do not drift
    wobble = np.exp(ticket["noise"] * draws.normal(n, 2) - ticket["noise"] ** 2 / 2)
    return price * wobble[:, 0], price * dearer * wobble[:, 1]


def _response(spec: dict, persons: pd.DataFrame) -> np.ndarray:
    """Return each person's chance of answering the follow-up."""
    odds = (
        spec["intercept"]
        + spec["age_decade"] * (persons["AGE"].to_numpy() - spec["centre_age"]) / 10
        + spec["rs5"] * (persons["RS5"].to_numpy() - spec["centre_rs5"])
    )
    return 1 / (1 + np.exp(-np.round(odds, 9)))


def _drifted(rating: pd.Series, drift: float, noise: float, draws: Draws) -> np.ndarray:
    """Return a five-step rating half a year later."""
    moved = np.round(rating.to_numpy() + drift + noise * draws.normal(len(rating)), 9)
    return np.clip(np.floor(moved + 0.5), 1, 5).astype(int)


def make_pilot(population: Population, main: Main, seed: int) -> pd.DataFrame:
    """Return a randomised pilot: two arms within two strata, with spending before as covariate."""
    spec = population["modules"]["pilot"]
    draws = Draws(seed, "pilot")
    people = honest(main)
    people = people[draws.chance(spec["share"], len(people))]
    n = len(people)
    persons, latents = main.persons.iloc[people], main.latents.iloc[people]
    stratum = np.where(persons["FREQ"].to_numpy() < spec["frequent"], 1, 2)
    treated = _allotted(stratum, draws)
    before = np.exp(spec["pre"]["log_mean"] + spec["pre"]["log_sd"] * draws.normal(n))
    post = spec["post"]
    after = (
        post["constant"]
        + post["on_pre"] * before
        + spec["effect_amount"] * treated
        + post["noise"] * draws.normal(n)
    )
    again, calls, rated = spec["repeat"], spec["contacts"], spec["satisfaction"]
    opinion = (
        rated["on_osat"] * latents["OSAT"].to_numpy()
        + rated["effect"] * treated
        + rated["noise"] * draws.normal(n)
    )
    chance = np.where(treated, again["treated"], again["control"])
    return pd.DataFrame(
        {
            "respondent_id": main.metadata["ResponseId"].to_numpy()[people],
            "PI_ARM": np.where(treated, 2, 1),
            "PI_STRATUM": stratum,
            "PI_PRE_CNY": np.round(before).astype(int),
            "PI_POST_CNY": np.round(np.maximum(after, 0)).astype(int),
            "PI_REPEAT": np.where(draws.chance(chance, n), 1, 2),
            "PI_SAT": steps(opinion, rated["thresholds"]),
            "PI_CONTACTS": draws.poisson(np.where(treated, calls["treated"], calls["control"])),
        }
    )


def _allotted(stratum: np.ndarray, draws: Draws) -> np.ndarray:
    """Return who gets the new service: half of each stratum, by lot."""
    treated = np.zeros(len(stratum), dtype=bool)
    for level in np.unique(stratum):
        members = np.flatnonzero(stratum == level)
        treated[members[draws.order(len(members))[: len(members) // 2]]] = True
    return treated
