"""The key ``service`` of a study file: which items feed the managerial analyses.

Each part is optional; a study without a part makes the notebook that needs it say so and end.
Names are items, constructs, groupings, modules or models of the same study; ``study check`` says
which of them do not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from helpers.errors import listing

Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of the key ``service``: unknown keys are refused, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Part):
    """One text in the two languages."""

    en: Name
    zh: Name


class Measured(Part):
    """A named thing and the constructs or items whose mean measures it."""

    code: Name
    name: Words
    measures: Annotated[list[Name], Field(min_length=1)]


class Process(Part):
    """Recovery as a process: elements, steps, and hours to the response."""

    elements: Annotated[list[Measured], Field(min_length=2)]
    steps: list[Measured] = []
    hours: Name | None = None
    measure: Name | None = None
    rating: Name | None = None
    """A single rating of the recovery, read by the measure received."""
    outcome: Name


class Dimension(Part):
    """A dimension of service quality: what was expected, what was perceived, what would do."""

    code: Name
    name: Words
    expected: Name
    perceived: Name
    adequate: Name | None = None
    """Lowest level that would do; with it the zone of tolerance can be drawn."""


class Servqual(Part):
    """Expected and perceived service quality."""

    module: Name = "main"
    variant: Literal["SERVQUAL", "E-S-QUAL", "E-RecS-QUAL"] = "SERVQUAL"
    dimensions: Annotated[list[Dimension], Field(min_length=1)]
    outcome: Name | None = None
    """A construct or item of the main questionnaire that weighs the dimensions."""


class KanoAttribute(Part):
    """An attribute and its two questions."""

    code: Name
    name: Words
    functional: Name
    dysfunctional: Name


class Kano(Part):
    """Pairs of questions on service attributes; the codes of the five answers in Kano's order."""

    module: Name = "main"
    answers: Annotated[list[int], Field(min_length=5, max_length=5)] = [1, 2, 3, 4, 5]
    """Codes for: I like it, it must be so, I do not mind, I can live with it, I dislike it."""
    attributes: Annotated[list[KanoAttribute], Field(min_length=1)]
    ratings: list[Name] = []
    """What was rated by how well it is done, for penalties and rewards."""
    outcome: Name | None = None
    """The satisfaction that the ratings go with."""


class Segments(Part):
    """What makes latent segments, their context, and the recoveries to be compared."""

    indicators: Annotated[list[Name], Field(min_length=2)]
    context: list[Name] = []
    treatment: Name | None = None
    treatment_codes: list[int] = []
    """Codes of the treatments to compare, the reference first; all if empty."""
    outcome: Name
    recovery: Name | None = None
    groups: list[Name] = []
    """Groupings settled before the recovery, within which treatments are compared."""
    adjust: list[Name] = []
    """Variables settled before the recovery that may have decided who got which treatment."""


class Loyalty(Part):
    """Loyalty's faces, its drivers, and the model of its formation."""

    concept: Name
    drivers: Annotated[list[Name], Field(min_length=2)]
    models: list[Name] = []
    """Measurement models of the faces, the one in force first."""
    formation: Name | None = None
    """A structural model; importance is the total effect on the construct."""


class Coding(Part):
    """One judgement of the cases, given by two or more coders."""

    code: Name
    name: Words
    items: Annotated[list[Name], Field(min_length=2)]
    level: Literal["nominal", "ordinal", "interval"]
    survey: Name | None = None
    """The item of the main questionnaire that asks the customer the same."""


Degree = Literal["yes", "partly", "no"]


class CaseExample(Part):
    """A worked example of a recovery, and which of the five elements it shows."""

    setting: Words
    failure: Words
    recovery: Words
    reading: Words
    """What the case teaches."""
    timeliness: Degree
    effectiveness: Degree
    communication: Degree
    personalisation: Degree
    follow_up: Degree


class Cases(Part):
    """Complaint cases, their text, and how coders judged them."""

    module: Name
    id: Name | None = None
    text: Name | None = None
    language: Name | None = None
    codings: Annotated[list[Coding], Field(min_length=1)]
    examples: list[CaseExample] = []
    """Examples for teaching, made up or published; no complaint of a respondent."""


class Condition(Part):
    """An item and the codes that count."""

    item: Name
    accept: Annotated[list[int], Field(min_length=1)]


class Lifecycle(Part):
    """Purchases before and after, and what a customer is worth."""

    module: Name
    count_before: Name
    count_after: Name
    amount_before: Name | None = None
    amount_after: Name | None = None
    months: Annotated[float, Field(gt=0)]
    recovered: Condition
    predictors: list[Name] = []
    attrition: list[Name] = []
    """What the weights against loss of respondents are made from."""
    margin: Share = 0.25
    """Share of the amount that remains after cost: an assumption, to be set by the user."""
    discount: Share = 0.10
    """Discount of one year: an assumption, to be set by the user."""
    currency: Words = Words(en="CNY", zh="元")


class PilotOutcome(Part):
    """One outcome of a pilot."""

    item: Name
    name: Words
    kind: Literal["amount", "share", "rating", "count"]
    success: list[int] = []
    """Codes that count as success, for a share."""
    before: Name | None = None
    smallest: Annotated[float, Field(gt=0)] | None = None
    """Smallest difference that would matter in practice."""


class Pilot(Part):
    """A randomised comparison of two services; the first outcome is the primary one."""

    module: Name
    arm: Name
    control: int
    treated: int
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of the customers whom the lot sends to the service on trial."""
    stratum: Name | None = None
    balance: list[Name] = []
    outcomes: Annotated[list[PilotOutcome], Field(min_length=1)]


class Risk(Part):
    """Leaving after a failure, and what is known before it happens."""

    outcome: Condition
    module: Name = "main"
    predictors: Annotated[list[Name], Field(min_length=1)]
    fairness: list[Name] = []
    """Groupings over which errors are compared."""
    segments: list[Name] = []


class Lever(Part):
    """Something a manager can change, what a step costs, and its range."""

    code: Name
    name: Words
    variable: Name
    cost: Annotated[float, Field(ge=0)]
    """Cost of raising the variable by one point for one customer."""
    most: Annotated[float, Field(gt=0)] = 1.0
    """Largest change considered, in points."""
    prior: Name | None = None
    """Item whose mean gives the lever's prior importance."""


class Scenarios(Part):
    """What-if on a fitted model, with costs and benefits."""

    model: Name
    outcome: Name
    levers: Annotated[list[Lever], Field(min_length=1)]
    segment: Name | None = None
    value_per_point: Annotated[float, Field(ge=0)]
    """Worth of one point of the outcome, for one customer and year: an assumption."""
    currency: Words = Words(en="CNY", zh="元")
    note: Words | None = None

    @model_validator(mode="after")
    def _codes_differ(self) -> Scenarios:
        codes = [lever.code for lever in self.levers]
        if len(set(codes)) < len(codes):
            raise ValueError("two levers have the same code; codes must differ")
        return self


class Priority(Part):
    """A lever, and what belongs to it in each method: the crosswalk of the priorities."""

    code: Name
    name: Words
    kano: list[Name] = []
    """Codes of Kano attributes."""
    servqual: list[Name] = []
    """Codes of dimensions of service quality."""
    elements: list[Name] = []
    """Codes of elements of the recovery process."""
    drivers: list[Name] = []
    """Constructs among the drivers of loyalty."""


class Priorities(Part):
    """One list of priorities from several methods."""

    levers: Annotated[list[Priority], Field(min_length=2)]
    segment: Name | None = None
    """Item whose worst-served answer is read on its own."""


class Service(Part):
    """The key ``service``: one part for each managerial analysis."""

    process: Process | None = None
    servqual: Servqual | None = None
    kano: Kano | None = None
    segments: Segments | None = None
    loyalty: Loyalty | None = None
    cases: Cases | None = None
    lifecycle: Lifecycle | None = None
    pilot: Pilot | None = None
    risk: Risk | None = None
    scenarios: Scenarios | None = None
    priorities: Priorities | None = None

    @model_validator(mode="after")
    def _crosswalk_holds(self) -> Service:
        levers = [] if self.priorities is None else self.priorities.levers
        known = {
            "kano": self.kano and [a.code for a in self.kano.attributes],
            "servqual": self.servqual and [d.code for d in self.servqual.dimensions],
            "elements": self.process and [e.code for e in self.process.elements],
            "drivers": self.loyalty and self.loyalty.drivers,
        }
        for lever in levers:
            for method, codes in known.items():
                lost = sorted(set(getattr(lever, method)) - set(codes or []))
                if lost:
                    raise ValueError(
                        f"priorities: lever '{lever.code}' names {method} {listing(lost)}, but the "
                        f"study declares {listing(codes or ['none'])}"
                    )
        return self

    def parts(self) -> list[str]:
        """Return the names of the parts that the study states."""
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    def named(self) -> Iterator[tuple[str, str, str]]:
        """Yield ``(kind, key, name)`` for each name used: kind is variable, module or model."""
        for part in self.parts():
            yield from _named(getattr(self, part), f"service.{part}")


_VARIABLES = {
    "measures", "hours", "measure", "outcome", "expected", "perceived", "adequate", "functional",
    "dysfunctional", "indicators", "context", "treatment", "recovery", "concept", "drivers",
    "items", "survey", "id", "text", "language", "item", "count_before", "count_after",
    "amount_before", "amount_after", "predictors", "attrition", "arm", "stratum", "balance",
    "before", "variable", "prior", "segment", "fairness", "adjust", "rating",
    "ratings",
}  # fmt: skip
_MODELS = {"model", "models", "formation"}


def _named(part: Part, key: str) -> Iterator[tuple[str, str, str]]:
    """Yield the names that a part uses, its own parts included."""
    for field in type(part).model_fields:
        value, here = getattr(part, field), f"{key}.{field}"
        values = value if isinstance(value, list) else [value]
        kind = "module" if field == "module" else "model" if field in _MODELS else "variable"
        for entry in values:
            if isinstance(entry, Part):
                yield from _named(entry, here)
            elif isinstance(entry, str) and (kind != "variable" or field in _VARIABLES):
                yield kind, here, entry
