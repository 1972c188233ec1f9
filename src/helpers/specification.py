"""What a study is: the typed form of ``data/<study>/study.yml``.

Everything in which two studies differ stands in these fields; nothing of it stands in code.
Unknown keys are errors, so that a misspelt key cannot be passed over.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from helpers.i18n import pick
from helpers.service_specification import Service

MARKS = (
    "preview", "no_consent", "screened_out", "unfinished", "duplicate",
    "speeding", "failed_attention", "even_odd", "synonyms", "antonyms", "person_total",
    "mahalanobis", "contradictions", "autocorrelation", "longstring", "low_variability",
)  # fmt: skip
"""Marks that cleaning can give a row, in the order in which the flow counts them."""

CUT_MARKS = (
    "speeding", "even_odd", "synonyms", "antonyms", "person_total", "mahalanobis",
    "contradictions", "autocorrelation", "longstring", "low_variability",
)  # fmt: skip
"""Marks that come from an index and a cut-off, which the study may declare itself."""

NEVER_ALONE = ("autocorrelation", "longstring", "low_variability")
"""Marks of equal or repeated answers; they exclude nobody alone (Goldammer et al. 2024)."""

_WHY_NOT_ALONE = (
    "honest people with firm views give equal answers too, and by equal answers alone careless "
    "people are hardly told from careful ones (Goldammer et al. 2024, "
    "doi:10.3758/s13428-024-02484-3)"
)

READERS = (
    "qualtrics", "qualtrics_legacy", "wenjuanxing", "surveymonkey", "limesurvey", "google_forms",
    "spss", "stata", "csv",
)  # fmt: skip
"""Who wrote an export; ``csv`` is any plain table, in a text file or a workbook."""

Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Role = Literal[
    "failure", "recovery", "justice", "emotion", "satisfaction", "mediator", "outcome",
    "driver", "quality", "context", "control", "marker", "other",
]  # fmt: skip


class Strict(BaseModel):
    """A part of the study file: unknown keys are refused, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Strict):
    """One text in the two languages; where one is not written, the other stands in for it."""

    en: str = ""
    zh: str = ""
    _lacks: str = PrivateAttr("")

    @model_validator(mode="after")
    def _stand_in(self) -> Bilingual:
        if not (self.en or self.zh):
            raise ValueError("is empty; a text under en, zh or both is needed")
        self._lacks = "" if self.en and self.zh else "zh" if self.en else "en"
        self.__dict__.update(en=self.en or self.zh, zh=self.zh or self.en)
        return self

    @property
    def lacks(self) -> str:
        """Return the language that is not written: ``en``, ``zh``, or an empty text."""
        return self._lacks


def one_text(text: str | Bilingual) -> str:
    """Return a text in the language in force; one that stands once serves for both."""
    return text if isinstance(text, str) else pick(text.model_dump())


class Source(Strict):
    """One data file: in the study's folder, or inside an installed Python package."""

    reader: Literal[READERS]  # type: ignore[valid-type]
    file: str | None = None
    package: str | None = None
    resource: str | None = None
    extra: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    encoding: str = "utf-8"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    """Of a workbook; without it the first visible sheet that holds cells is read."""
    dates: Literal["year-first", "day-first", "month-first"] = "year-first"
    """Order of day and month where a date could be either; a year in front needs no word."""
    columns: dict[str, str] = {}
    """Canonical name -> name in the file, for what a plain table does not name itself:
    ``respondent_id``, ``duration_s``, ``started_at``, ``finished``, ``preview``."""

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        in_folder = self.file is not None
        in_package = self.package is not None and self.resource is not None
        if in_folder == in_package:
            raise ValueError("needs either file, or package and resource")
        if self.file is not None and (".." in self.file or self.file.startswith(("/", "\\"))):
            raise ValueError("file must lie in the study's own folder")
        return self


class Scale(Strict):
    """How answers are coded: an agreement scale, categories, a number, or text."""

    kind: Literal["likert", "category", "multiple", "number", "text"]
    low: float | None = None
    high: float | None = None
    labels: dict[int, Bilingual] = {}
    unit: Bilingual | None = None

    @model_validator(mode="after")
    def _ends(self) -> Scale:
        if self.kind == "likert" and (self.low is None or self.high is None):
            raise ValueError("a likert scale needs low and high")
        if self.kind in ("category", "multiple") and not self.labels:
            raise ValueError("a category scale needs labels")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class Accept(Strict):
    """An item and the codes that pass."""

    item: str
    accept: list[int]


class AtLeast(Strict):
    """A rule that excludes rows with at least k of some marks."""

    k: Annotated[int, Field(ge=1)]
    of: Annotated[list[Literal[MARKS]], Field(min_length=1)]  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _possible(self) -> AtLeast:
        if len(set(self.of)) != len(self.of):
            raise ValueError("of names a mark twice; name each once")
        if self.k > len(self.of):
            raise ValueError(f"k is {self.k}, but of names {len(self.of)} marks; give a lower k")
        weak = [m for m in self.of if m in NEVER_ALONE]
        if len(weak) >= self.k:
            raise ValueError(
                f"{', '.join(weak)} would be enough to exclude, but {_WHY_NOT_ALONE}; raise k to "
                f"{len(weak) + 1} or take {weak[0]} out of the list"
            )
        return self


class Screening(Strict):
    """Which rows count: every mark is computed, only the named ones exclude."""

    consent: Accept | None = None
    screener: Accept | None = None
    attention: list[Accept] = []
    max_failed_attention: Annotated[int, Field(ge=0)] = 0
    min_seconds_per_item: Annotated[float, Field(gt=0)] | None = None
    seconds_from: Literal["duration", "pages"] = "duration"
    duplicate_on: list[str] = []
    cutoffs: dict[Literal[CUT_MARKS], float] = {}  # type: ignore[valid-type]
    """Cut-offs of this study in place of the suite's, by mark."""
    exclude: list[Literal[MARKS]] = []  # type: ignore[valid-type]
    exclude_jointly: list[list[Literal[MARKS]]] = []  # type: ignore[valid-type]
    """Rows that carry all marks of one of these lists are excluded too."""
    exclude_at_least: AtLeast | None = None
    """Rows that carry at least k of these marks are excluded too."""

    @field_validator("exclude")
    @classmethod
    def _not_alone(cls, marks: list[str]) -> list[str]:
        weak = [m for m in marks if m in NEVER_ALONE]
        if weak:
            raise ValueError(
                f"{', '.join(weak)} may not exclude alone: {_WHY_NOT_ALONE}; put it into "
                "exclude_jointly with another mark"
            )
        return marks

    @field_validator("exclude_jointly")
    @classmethod
    def _not_by_equal_answers_only(cls, rules: list[list[str]]) -> list[list[str]]:
        for rule in rules:
            if all(m in NEVER_ALONE for m in rule):
                raise ValueError(
                    f"{' + '.join(rule) or 'an empty list'} may not exclude: {_WHY_NOT_ALONE}; add "
                    "a mark of another kind to the list, such as speeding or failed_attention"
                )
        return rules

    @model_validator(mode="after")
    def _one_speed(self) -> Screening:
        if self.min_seconds_per_item is not None and "speeding" in self.cutoffs:
            raise ValueError("min_seconds_per_item and cutoffs: speeding say the same; keep one")
        return self


class Privacy(Strict):
    """By what respondents could be recognised, and how many must look alike."""

    quasi_identifiers: list[str] | None = None
    """Items that somebody outside may know; the groups and controls if not given."""
    k: Annotated[int, Field(ge=2)] | None = None


class Construct(Strict):
    """A concept measured by the items that name it in ``items.csv``."""

    code: Code
    name: Bilingual
    role: Role = "other"
    facets: list[str] = []
    """Codes of first-order constructs, for a second-order construct."""
    formative: bool = False


class HypothesisTest(Strict):
    """What speaks to a hypothesis that no row of a model answers.

    ``moderation``: outcome, predictor, moderator; with ``predictor_codes`` or ``moderator_codes``
    the variable is a category, and the codes make up the class that counts as 1. ``difference``:
    outcome, group.
    ``comparison``: outcome, ``core`` against ``others``. ``change``: outcome after, ``before``,
    and the module that holds both.
    """

    outcome: str
    predictor: str | None = None
    predictor_codes: list[int] = []
    moderator: str | None = None
    moderator_codes: list[int] = []
    group: str | None = None
    core: list[str] = []
    others: list[str] = []
    before: str | None = None
    module: str | None = None
    only: Accept | None = None
    """Respondents to be counted; all of them if not given."""


class Hypothesis(Strict):
    """A hypothesis, its expected sign, and the estimate that speaks to it."""

    id: str
    text: Bilingual
    sign: Literal["+", "-", "different", "none"]
    kind: Literal["direct", "indirect", "moderation", "difference", "change", "comparison"]
    model: str | None = None
    effects: list[str] = []
    """Rows of the model, as ``SAT ~ REC`` or the left side of a ``:=``."""
    tests: list[HypothesisTest] = []
    notebook: str | None = None


class Model(Strict):
    """A named model in lavaan syntax."""

    title: Bilingual
    syntax: Annotated[str, Field(min_length=3)]
    note: Bilingual | None = None
    names: dict[str, Bilingual] = {}
    """What a reader calls the defined effects, the left sides of ``:=``."""

    @model_validator(mode="after")
    def _names_defined(self) -> Model:
        lines = (line.partition(":=") for line in self.syntax.splitlines())
        defined = {left.strip() for left, sign, _right in lines if sign}
        unknown = [name for name in self.names if name not in defined]
        if unknown:
            raise ValueError(
                f"names has {', '.join(unknown)}, which no line of the syntax defines with :="
            )
        return self

    def to_lavaan(self) -> str:
        """Return the model as lavaan text."""
        return self.syntax


class Comparison(Strict):
    """Rival models that answer one question, the model in force first."""

    title: Bilingual
    models: Annotated[list[str], Field(min_length=2)]


class ScoreRule(Strict):
    """When a person gets a scale score: the least share of a construct's items answered."""

    answered_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """For all constructs; the suite's cut-off ``answered_share`` if not given."""
    constructs: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    """Construct -> its own share."""


class Regression(Strict):
    """An outcome and the blocks of predictors entered in steps (scale scores or items)."""

    title: Bilingual
    outcome: str
    steps: Annotated[list[list[str]], Field(min_length=1)]


class Module(Strict):
    """A further file that belongs to the study and is linked to it by an id."""

    title: Bilingual
    source: Source
    key: str | None = None
    note: Bilingual | None = None


class Grouping(Strict):
    """A categorical item by which people are compared."""

    item: str
    title: Bilingual


class Matrix(Strict):
    """A published correlation matrix, lower triangle with the diagonal, in place of rows."""

    names: Annotated[list[str], Field(min_length=2)]
    correlations: list[list[float]]
    sds: list[Annotated[float, Field(gt=0)]]
    means: list[float] | None = None
    reliability: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    n_items: dict[str, int] = {}
    n: Annotated[int, Field(gt=1)] | None
    """Respondents behind the matrix; ``null`` only with ``n_reason``."""
    n_reason: Bilingual | None = None

    @model_validator(mode="after")
    def _shape(self) -> Matrix:
        k = len(self.names)
        if [len(row) for row in self.correlations] not in (
            list(range(1, k + 1)),
            [k] * k,
        ):
            raise ValueError(
                f"correlations must have {k} rows, of 1 to {k} numbers (lower triangle) or of "
                f"{k} numbers each"
            )
        for name, values in (("sds", self.sds), ("means", self.means)):
            if values is not None and len(values) != k:
                raise ValueError(f"{name} has {len(values)} numbers; names has {k}")
        if self.n is None and self.n_reason is None:
            raise ValueError(
                "n is missing: the number of respondents behind the matrix is needed for "
                "standard errors and tests; give n, or n: null with an n_reason"
            )
        return self


class Statements(Strict):
    """What only the authors can say; whatever is left out stands as a gap in the report."""

    registration: Bilingual | None = None
    """Where and when the study was registered, or that it was not."""
    protocol: Bilingual | None = None
    analysis_plan: Bilingual | None = None
    materials: Bilingual | None = None
    data: Bilingual | None = None
    code: Bilingual | None = None
    sample_size: Bilingual | None = None
    """How the number of respondents was decided."""
    ethics: Bilingual | None = None
    funding: Bilingual | None = None
    interests: Bilingual | None = None
    rationale: Bilingual | None = None
    """Theory or findings behind the directions of the paths."""


class StudySpec(Strict):
    """The whole of ``study.yml``."""

    id: Code
    title: Bilingual
    kind: Literal["simulated", "survey", "matrix"]
    provenance: Bilingual
    licence: str | Bilingual
    citation: str | Bilingual
    population: Bilingual | None = None
    """Who was asked, how sampled, and over which recall window."""
    data: Source | None = None
    matrix: Matrix | None = None
    truth: str | None = None
    """Name of the file with the planted population values (simulated studies)."""
    scales: dict[str, Scale] = {}
    constructs: Annotated[list[Construct], Field(min_length=1)]
    screening: Screening = Screening()
    scores: ScoreRule = ScoreRule()
    privacy: Privacy = Privacy()
    groups: dict[str, Grouping] = {}
    controls: list[str] = []
    models: dict[str, Model] = {}
    comparisons: dict[str, Comparison] = {}
    hypotheses: list[Hypothesis] = []
    regressions: dict[str, Regression] = {}
    modules: dict[str, Module] = {}
    service: Service = Service()
    statements: Statements = Statements()

    @model_validator(mode="after")
    def _kind_has_its_data(self) -> StudySpec:
        if self.kind == "matrix" and self.matrix is None:
            raise ValueError("a study of kind matrix needs the key matrix")
        if self.kind != "matrix" and self.data is None:
            raise ValueError(f"a study of kind {self.kind} needs the key data")
        if self.truth is not None and self.kind != "simulated":
            raise ValueError("only a simulated study has planted truth")
        return self
