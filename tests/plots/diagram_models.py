"""Made-up models of growing size: tables of estimates as a fitted model gives them."""

import itertools

import pandas as pd


def table(measures, paths, *, covariances=(), factors=(), r2=None):
    rows = []
    for latent, items in measures.items():
        rows += [(latent, "=~", item, 0.7 + 0.03 * i, None if i == 0 else 0.0001)
                 for i, item in enumerate(items)]  # fmt: skip
    rows += [(factor, "=~", face, value, 0.0001) for factor, face, value in factors]
    rows += [(head, "~", tail, value, p) for tail, head, value, p in paths]
    rows += [(one, "~~", other, value, p) for one, other, value, p in covariances]
    rows += [(name, "~~", name, 1 - value, 0.0001) for name, value in (r2 or {}).items()]
    return pd.DataFrame(rows, columns=["lhs", "op", "rhs", "std_all", "p_value"])


def items(names, count=3):
    return {name: [f"{name}{i}" for i in range(1, count + 1)] for name in names}


def three():
    measures = items(["REC", "SAT", "LOY"], 5)
    paths = [("REC", "SAT", 0.62, 0.001), ("SAT", "LOY", 0.45, 0.001), ("REC", "LOY", 0.08, 0.21)]
    return table(measures, paths, r2={"SAT": 0.38, "LOY": 0.29}), measures


def seven():
    measures = items(["REC", "EMO", "SAT", "TRU", "IMG", "WOM", "LOY"])
    pairs = (
        "REC>EMO REC>SAT EMO>SAT SAT>TRU SAT>IMG SAT>WOM TRU>LOY IMG>LOY WOM>LOY SAT>LOY REC>LOY"
    )
    paths = [(*pair.split(">"), 0.5 - 0.05 * i, 0.001 if i < 9 else 0.3)
             for i, pair in enumerate(pairs.split())]  # fmt: skip
    covariances = [
        ("TRU", "IMG", 0.22, 0.001),
        ("IMG", "WOM", 0.15, 0.01),
        ("TRU", "WOM", 0.1, 0.2),
    ]
    return table(measures, paths, covariances=covariances, r2={"LOY": 0.51}), measures


def justice():
    names = ["DJ", "PJ", "INP", "INF", "SAT", "OSAT", "TRU", "WOM", "LOY"]
    measures = items(names)
    paths = [(a, "SAT", 0.2, 0.001) for a in names[:4]]
    pairs = "SAT>OSAT OSAT>TRU OSAT>WOM TRU>LOY WOM>LOY SAT>WOM DJ>WOM SAT>LOY"
    paths += [(*pair.split(">"), 0.3, 0.2) for pair in pairs.split()]
    covariances = [(a, b, 0.4, 0.001) for a, b in itertools.combinations(names[:4], 2)]
    return table(measures, paths, covariances=covariances, r2={"SAT": 0.5, "LOY": 0.4}), measures


def second_order():
    first_order = ["DJ", "PJ", "INP", "INF", "SAT", "OSAT", "TRU", "F1", "F2", "F3"]
    measures = items(first_order) | {"JUS": [], "LOY": []}
    pairs = "JUS>SAT SAT>OSAT SAT>TRU OSAT>LOY TRU>LOY JUS>LOY AGE>LOY"
    paths = [(*pair.split(">"), 0.3, 0.01) for pair in pairs.split()]
    factors = [("JUS", name, 0.8) for name in ("DJ", "PJ", "INP", "INF")]
    factors += [("LOY", name, 0.7) for name in ("F1", "F2", "F3")]
    return table(measures, paths, factors=factors, r2={"LOY": 0.4}), measures


def cfa():
    measures = items(["IMAG", "EXPE", "QUAL", "VAL", "SAT", "LOY"])
    covariances = [(a, b, 0.4, 0.001) for a, b in itertools.combinations(measures, 2)]
    return table(measures, [], covariances=covariances), measures


def chain():
    measures = items(["IMAG", "EXPE", "QUAL", "VAL", "SAT", "COMP", "LOY"])
    pairs = ("IMAG>EXPE EXPE>QUAL EXPE>VAL QUAL>VAL IMAG>SAT EXPE>SAT QUAL>SAT VAL>SAT SAT>COMP "
             "IMAG>LOY SAT>LOY COMP>LOY")  # fmt: skip
    return table(measures, [(*p.split(">"), 0.4, 0.01) for p in pairs.split()]), measures


def feedback():
    measures = items(["A", "B", "C"])
    paths = [("A", "B", 0.5, 0.01), ("B", "C", 0.4, 0.01), ("C", "B", 0.2, 0.3)]
    return table(measures, paths), measures


MODELS = {f.__name__: f for f in (three, seven, justice, second_order, cfa, chain, feedback)}
