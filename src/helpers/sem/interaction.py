"""Latent interaction by double-mean-centred product indicators.

Each item is centred, pairs of items are multiplied, and the products are centred again (Lin, Wen,
Marsh & Lin 2010, doi:10.1080/10705511.2010.488999). The products are the indicators of a latent
product; no mean structure or constraint is needed. Products that share an item that carries error
have correlated residuals. The result is a longer table and a longer model text, fitted as any
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from helpers.errors import DataContractError, ModelSpecError, listing, nearest
from helpers.sem.fit import model_text
from helpers.sem.syntax import Syntax, parse

PAIRS = ("matched", "all")
JOINT = "."
"""Between the names of two items in the name of their product, as R's semTools has it."""


@dataclass(frozen=True, slots=True)
class ProductModel:
    """A model with a latent product, and the data for it.

    Attributes
    ----------
    syntax : str
        The model, the product's measurement, its residual covariances and its paths.
    data : DataFrame
        The given columns and one column a product.
    product : str
        Name of the latent product.
    pairs : tuple of (str, str)
        Items behind each product.
    """

    syntax: str
    data: pd.DataFrame
    product: str
    pairs: tuple[tuple[str, str], ...]


def pair_items(
    first: Sequence[str], second: Sequence[str], pairs: str = "matched"
) -> tuple[tuple[str, str], ...]:
    """Pair the items of two constructs.

    ``"matched"`` takes the first with the first, the second with the second, and so on until one
    construct runs out, so each item is used once and the product's residuals are independent; put
    the stronger items first. A single item is paired with every item of the other construct.
    ``"all"`` takes every pair. (Marsh, Wen & Hau 2004, doi:10.1037/1082-989X.9.3.275.)
    """
    if pairs not in PAIRS:
        raise ModelSpecError(
            f"pair_items: pairs= is '{pairs}'; allowed are {listing(PAIRS)}."
            f"{nearest(pairs, PAIRS)} Choose one of them."
        )
    if pairs == "all" or 1 in (len(first), len(second)):
        return tuple((a, b) for a in first for b in second)
    return tuple(zip(first, second))


def product_indicators(data: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return double-mean-centred products of pairs of items.

    ``p = (a - mean a)(b - mean b)``, then ``p - mean p``; means over the answers given.

    Parameters
    ----------
    data : DataFrame
        Never modified.
    pairs : sequence of (str, str)

    Returns
    -------
    DataFrame
        One column a pair, named ``a.b``; blank where either item is blank.

    Raises
    ------
    DataContractError
        A column is absent, holds no numbers, or has one value only.

    Notes
    -----
    Checked against R semTools ``indProd(doubleMC = TRUE)``: tests/reference/moderation.R.

    Examples
    --------
    >>> toy = pd.DataFrame({"a": [1, 2, 3, 6], "b": [2, 4, 4, 2]})
    >>> product_indicators(toy, [("a", "b")])["a.b"].tolist()
    [2.5, -0.5, 0.5, -2.5]
    """
    columns = {}
    for item in dict.fromkeys(name for pair in pairs for name in pair):
        if item not in data.columns:
            raise DataContractError(
                f"product_indicators: data= has no column '{item}'; items of predictor and "
                f"moderator are needed.{nearest(item, data.columns)} Check the names."
            )
        if not pd.api.types.is_numeric_dtype(data[item]):
            raise DataContractError(
                f"product_indicators: data= holds text in '{item}'; numbers are needed. Recode it."
            )
        values = data[item].astype(float)
        if not values.nunique() > 1:
            raise DataContractError(
                f"product_indicators: data= has {values.nunique()} value in '{item}'; a moderation "
                "needs predictor and moderator that vary. Choose another variable."
            )
        columns[item] = values - values.mean()
    products = {f"{a}{JOINT}{b}": columns[a] * columns[b] for a, b in pairs}
    frame = pd.DataFrame(products, index=data.index)
    return frame - frame.mean()


def with_products(
    model: object,
    data: pd.DataFrame,
    *,
    predictor: str,
    moderator: str,
    outcomes: Sequence[str],
    pairs: str = "matched",
    first: Sequence[str] = (),
    second: Sequence[str] = (),
    product: str = "",
) -> ProductModel:
    """Extend a model and its data by the product of two latent variables.

    Parameters
    ----------
    model : str or object with ``.syntax``
        Measures predictor and moderator by ``=~`` and regresses every outcome on both.
    data : DataFrame
        Respondents; never modified.
    predictor, moderator : str
        Latent variables.
    outcomes : sequence of str
        Variables that the product points to as well.
    pairs : {"matched", "all"}
    first, second : sequence of str, optional
        Items of predictor and moderator in the order in which to match them; by default as in the
        model text.
    product : str, optional
        Name of the latent product; by default ``predictor_x_moderator``.

    Raises
    ------
    ModelSpecError
        The model lacks a name or a path, both constructs have a single item, or the product is a
        quadratic one.

    Notes
    -----
    Checked against R lavaan and semTools: tests/reference/moderation.R.
    """
    text = model_text(model)
    syntax = parse(text)
    if predictor == moderator:
        raise ModelSpecError(
            f"with_products: predictor= and moderator= are both '{predictor}'; two constructs are "
            "needed. A quadratic effect is another model."
        )
    items = [
        list(own) or items_of(syntax, name, role)
        for own, name, role in ((first, predictor, "predictor"), (second, moderator, "moderator"))
    ]
    if len(items[0]) == 1 and len(items[1]) == 1:
        raise ModelSpecError(
            f"with_products: predictor= '{predictor}' and moderator= '{moderator}' have one item "
            "each; a latent product needs several items of one of them. Use "
            "helpers.regression.process for observed variables."
        )
    _check_paths(syntax, predictor, moderator, outcomes)
    chosen = pair_items(items[0], items[1], pairs)
    name = product or f"{predictor}_x_{moderator}"
    lines = [text.strip("\n"), *_product_lines(name, chosen, items)]
    lines += [f"{outcome} ~ {name}" for outcome in outcomes]
    endogenous = {t.lhs for t in syntax.terms if t.op == "~"}
    lines += [f"{name} ~~ {v}" for v in (predictor, moderator) if v in endogenous]
    wider = pd.concat([data, product_indicators(data, chosen)], axis=1)
    return ProductModel("\n".join(lines) + "\n", wider, name, chosen)


def items_of(syntax: Syntax, name: str, role: str = "construct") -> list[str]:
    """Return the items of a latent variable, in the order of the model text."""
    found = [t.rhs for t in syntax.terms if t.op == "=~" and t.lhs == name]
    if not found:
        known = sorted({t.lhs for t in syntax.terms if t.op == "=~"})
        raise ModelSpecError(
            f"with_products: {role}= is '{name}', which the model does not measure; latent "
            f"variables are {listing(known)}.{nearest(name, known)} Add its items by '=~'."
        )
    return found


def _check_paths(syntax: Syntax, predictor: str, moderator: str, outcomes: Sequence[str]) -> None:
    """Raise unless every outcome is regressed on both; a product alone has no meaning."""
    if not outcomes:
        raise ModelSpecError(
            "with_products: outcomes= is empty; at least one outcome is needed. Name one."
        )
    known = sorted({t.lhs for t in syntax.terms if t.op == "~"})
    for outcome in outcomes:
        causes = {t.rhs for t in syntax.terms if t.op == "~" and t.lhs == outcome}
        lacking = [v for v in (predictor, moderator) if v not in causes]
        if lacking:
            raise ModelSpecError(
                f"with_products: outcomes= names '{outcome}', which the model does not regress on "
                f"{listing(lacking)}; a product needs both of its parts.{nearest(outcome, known)} "
                f"Add '{outcome} ~ {' + '.join(lacking)}'."
            )


def _product_lines(
    name: str, pairs: Sequence[tuple[str, str]], items: Sequence[Sequence[str]]
) -> list[str]:
    """Write the product's measurement and the residual covariances of products.

    A single item is taken as free of error, so products that share it have independent residuals.
    """
    names = [f"{a}{JOINT}{b}" for a, b in pairs]
    lines = [f"{name} =~ {' + '.join(names)}"]
    for i, one in enumerate(pairs):
        for j in range(i):
            shared = [k for k in (0, 1) if one[k] == pairs[j][k] and len(items[k]) > 1]
            if shared:
                lines.append(f"{names[j]} ~~ {names[i]}")
    return lines
