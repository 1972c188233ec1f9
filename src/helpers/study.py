"""Read and check ``data/<study>/``: the study file and the codebook of its items."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import paths
from helpers.errors import CodebookError, Unavailable, listing, nearest
from helpers.i18n import _, language, pick
from helpers.memo import kept
from helpers.specification import Model, Scale, StudySpec
from helpers.typed_yaml import joined, read_typed

ITEM_COLUMNS = (
    "item", "construct", "scale", "wording_en", "wording_zh", "reverse", "missing_codes",
    "shown_if", "module", "column", "source", "label_en", "label_zh", "review",
)  # fmt: skip
"""Columns of ``items.csv``.

``construct`` is empty for background questions; ``reverse`` is 0 or 1; ``missing_codes`` is
``code=reason`` joined by ``;``; ``shown_if`` is ``item=code|code`` for questions behind a branch;
``module`` is ``main`` or a module's name; ``column`` is the name in the raw file if it differs;
``label_en`` and ``label_zh`` are short names for tables, where the item's own name says too little;
``review`` holds what `study new` guessed about the item, until it is confirmed and deleted.
"""


@dataclass(frozen=True)
class StudyFolder:
    """A study's specification with its codebook.

    Attributes
    ----------
    spec : StudySpec
        The validated study file.
    folder : Path
        Where it lies.
    items : DataFrame
        One row an item, columns ``ITEM_COLUMNS``; ``reverse`` is bool, ``missing_codes`` a dict.
    """

    spec: StudySpec
    folder: Path
    items: pd.DataFrame

    @property
    def id(self) -> str:
        """Return the study's name, that of its folder."""
        return self.spec.id

    @property
    def title(self) -> str:
        """Return the title in the current language."""
        return pick(self.spec.title.model_dump())

    @property
    def is_simulated(self) -> bool:
        """Tell whether the respondents were made by a program."""
        return self.spec.kind == "simulated"

    @kept
    def construct_codes(self) -> list[str]:
        """Return the codes of all constructs, in the order of the study file."""
        return [c.code for c in self.spec.constructs]

    def construct_name(self, code: str) -> str:
        """Return a construct's name in the current language; the code itself if unknown."""
        for construct in self.spec.constructs:
            if construct.code == code:
                return pick(construct.name.model_dump())
        return code

    def items_of(self, construct: str, module: str = "main") -> list[str]:
        """Return the items of one construct."""
        rows = self.items[(self.items["construct"] == construct) & (self.items["module"] == module)]
        return rows["item"].tolist()

    def published_items(self, construct: str) -> int:
        """Return how many items a published matrix states for a construct; 0 if it does not."""
        return self.spec.matrix.n_items.get(construct, 0) if self.spec.matrix else 0

    def scale_of(self, item: str) -> Scale:
        """Return the answer scale of an item."""
        row = self.items.loc[self.items["item"] == item]
        if row.empty:
            raise CodebookError(
                f"scale_of: item= '{item}' is not in items.csv of '{self.id}'; allowed are "
                f"{listing(self.items['item'])}.{nearest(item, self.items['item'])}"
            )
        return self.spec.scales[row["scale"].iloc[0]]

    def item_label(self, item: str) -> str:
        """Return an item's short name in the current language, else the item's own name."""
        row = self.items.loc[self.items["item"] == item].iloc[0]
        return pick({"en": row["label_en"] or item, "zh": row["label_zh"]})

    def wording(self, item: str) -> str:
        """Return an item's wording in the current language, else the other one, marked as such."""
        row = self.items.loc[self.items["item"] == item].iloc[0]
        text = pick({"en": row["wording_en"], "zh": row["wording_zh"]})
        if not text or row[f"wording_{language()}"]:
            return text
        return _("{text} [not translated]").format(text=text)

    def model(self, name: str) -> Model | Unavailable:
        """Return a named model, or say that the study has none of that name."""
        if name in self.spec.models:
            return self.spec.models[name]
        return Unavailable(
            _("the model '{name}'").format(name=name),
            _("study '{study}' defines no model of that name").format(study=self.id),
        )


def list_studies() -> list[str]:
    """Return the names of all study folders below ``data/``."""
    return sorted(p.parent.name for p in paths.data_folder().glob("*/study.yml"))


def study_folder(name: str) -> Path:
    """Return the folder of a study; an unknown name is an error that lists the known ones."""
    known = list_studies()
    if name not in known:
        raise CodebookError(
            f"load_study: name= '{name}' is not a study below data/; known are {listing(known)}."
            f"{nearest(name, known)} data/README.md says how to make one."
        )
    return paths.data_folder() / name


def read_folder(folder: Path) -> StudyFolder:
    """Read a study folder and check study file and codebook against each other.

    All faults are collected and raised together, each with file, line and key.
    """
    spec = read_spec(folder / "study.yml")
    items = read_items(folder / "items.csv")
    study = StudyFolder(spec=spec, folder=folder, items=items)
    faults = cross_check(study)
    if faults:
        raise CodebookError(joined(f"{paths.shown(folder)}", faults))
    return study


def read_spec(path: Path) -> StudySpec:
    """Read ``study.yml``; faults name file, line and key, all at once."""
    return read_typed(path, StudySpec, kind="a study file", advice="See data/README.md.")


def read_items(path: Path) -> pd.DataFrame:
    """Read ``items.csv`` into the codebook table."""
    name = paths.shown(path)
    if not path.is_file():
        raise CodebookError(f"{name}: not found; a study needs its codebook. See data/README.md.")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle)
        found = reader.fieldnames or []
        missing = [c for c in ("item", "scale", "wording_en", "wording_zh") if c not in found]
        unknown = [c for c in found if c not in ITEM_COLUMNS]
        if missing or unknown:
            raise CodebookError(
                f"{name}: missing columns {missing}, unknown columns {unknown}; allowed are "
                f"{listing(ITEM_COLUMNS)}. Correct the header line."
            )
        rows = [{c: (row.get(c) or "").strip() for c in ITEM_COLUMNS} for row in reader]
    faults = [
        f"{name}, line {i}: reverse is '{row['reverse']}'; 0 or 1 is needed"
        for i, row in enumerate(rows, start=2)
        if row["reverse"] not in ("", "0", "1")
    ]
    faults += [
        f"{name}, line {i}: item '{row['item']}' is empty or given twice; names must differ"
        for i, row in enumerate(rows, start=2)
        if not row["item"] or row["item"] in [r["item"] for r in rows[: i - 2]]
    ]
    codes = []
    for i, row in enumerate(rows, start=2):
        parsed, bad = _missing_codes(row["missing_codes"])
        codes.append(parsed)
        if bad:
            faults.append(f"{name}, line {i}: missing code '{bad}'; the form is code=reason")
    if faults:
        raise CodebookError(joined(name, faults))
    table = pd.DataFrame(rows, columns=list(ITEM_COLUMNS))
    table["reverse"] = table["reverse"] == "1"
    table["missing_codes"] = codes
    table["module"] = table["module"].replace("", "main")
    table["column"] = table["column"].where(table["column"] != "", table["item"])
    return table


def cross_check(study: StudyFolder) -> list[str]:
    """Return what study file and codebook say differently, as sentences."""
    spec, items = study.spec, study.items
    known_items, codes = set(items["item"]), set(study.construct_codes)
    named = {name for names in (spec.groups, spec.modules, spec.models) for name in names}
    faults = [
        f"items.csv: item '{r.item}' has scale '{r.scale}', which study.yml does not define; "
        f"defined are {listing(spec.scales)}"
        for r in items.itertuples()
        if r.scale not in spec.scales
    ]
    faults += [
        f"items.csv: item '{r.item}' names construct '{r.construct}', which study.yml does not "
        f"define.{nearest(r.construct, codes)}"
        for r in items.itertuples()
        if r.construct and r.construct not in codes
    ]
    faults += [
        f"items.csv: item '{r.item}' names module '{r.module}', which study.yml does not define"
        for r in items.itertuples()
        if r.module != "main" and r.module not in spec.modules
    ]
    for group, grouping in spec.groups.items():
        if grouping.item not in known_items:
            faults.append(
                f"study.yml, key groups.{group}: item '{grouping.item}' is not in items.csv."
                f"{nearest(grouping.item, known_items)}"
            )
    rules = [r for r in (spec.screening.consent, spec.screening.screener) if r]
    for rule in rules + spec.screening.attention:
        if rule.item not in known_items:
            faults.append(
                f"study.yml, key screening: item '{rule.item}' is not in items.csv."
                f"{nearest(rule.item, known_items)}"
            )
    faults += [
        f"study.yml, key privacy.quasi_identifiers: item '{item}' is not in items.csv."
        f"{nearest(item, known_items)}"
        for item in spec.privacy.quasi_identifiers or ()
        if item not in known_items
    ]
    for construct in spec.constructs:
        for facet in construct.facets:
            if facet not in codes:
                faults.append(
                    f"study.yml, construct {construct.code}: facet '{facet}' is not a construct."
                    f"{nearest(facet, codes)}"
                )
    faults += [
        f"study.yml, key scores.constructs: '{code}' is not a construct.{nearest(code, codes)}"
        for code in spec.scores.constructs
        if code not in codes
    ]
    for name, comparison in spec.comparisons.items():
        faults += [
            f"study.yml, key comparisons.{name}: model '{model}' is not defined."
            f"{nearest(model, spec.models)}"
            for model in comparison.models
            if model not in spec.models
        ]
    for hypothesis in spec.hypotheses:
        if hypothesis.model and hypothesis.model not in spec.models:
            faults.append(
                f"study.yml, hypothesis {hypothesis.id}: model '{hypothesis.model}' is not "
                f"defined.{nearest(hypothesis.model, named)}"
            )
    return faults + _service_faults(study)


def _service_faults(study: StudyFolder) -> list[str]:
    """Return which names under the key ``service`` the study does not have."""
    spec = study.spec
    known = {
        "variable": {*study.items["item"], *study.construct_codes, *spec.groups},
        "module": {"main", *spec.modules},
        "model": set(spec.models),
    }
    words = {"variable": "an item, construct or grouping", "module": "a module", "model": "a model"}
    return [
        f"study.yml, key {key}: '{name}' is not {words[kind]} of the study."
        f"{nearest(name, known[kind])}"
        for kind, key, name in spec.service.named()
        if name not in known[kind]
    ]


def _missing_codes(text: str) -> tuple[dict[int, str], str]:
    """Parse ``98=don't know;99=refused``; return the codes and the first part that is wrong."""
    codes: dict[int, str] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        code, sign, reason = part.partition("=")
        if not sign or not reason.strip() or not code.strip().lstrip("-").isdigit():
            return codes, part
        codes[int(code)] = reason.strip()
    return codes, ""
