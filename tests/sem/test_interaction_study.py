"""A study's moderation hypothesis: which it is, the planted product, tables, pictures."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import Unavailable
from helpers.i18n import set_language
from helpers.plots import attached_alt_text, plot_interaction
from helpers.plots.johnson_neyman import plot_johnson_neyman
from helpers.sem import interaction_study as moderation
from helpers.sem.interaction_fit import interaction_by_products
from helpers.sem.study_fit import fit_model
from helpers.survey.load import load_study
from helpers.tables import sem_confounder, sem_moderation, sem_process

NAMES = {"outcome": "CUSA", "predictor": "PERV", "moderator": "IMAG"}


@pytest.fixture(scope="module")
def study():
    set_language("en")
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def question(study):
    return moderation.study_question(study)


@pytest.fixture(scope="module")
def results(study, question):
    return [moderation.study_interaction(study, question, method=m) for m in ("products", "lms")]


class TestQuestion:
    def test_first_numeric_moderation(self, question):
        """H6 comes first in the file, but its variables are categories."""
        assert question.hypothesis == "H8"
        assert question.names == ("REC", "SEV", "RSAT")
        assert question.sign == "-"
        assert question.items["SEV"] == ["SEV1", "SEV2", "SEV3"]

    def test_named_by_hand(self, study):
        found = moderation.study_question(study, outcome="LOY", predictor="OSAT", moderator="SEV1")
        assert found.hypothesis == ""
        assert found.items["SEV1"] == ["SEV1"]
        assert len(found.items["LOY"]) > 2  # measured in the study's models only

    @pytest.mark.parametrize(
        ("names", "why"),
        [
            ({"outcome": "RSAT"}, "named together"),
            ({"outcome": "RSAT", "predictor": "NONE", "moderator": "SEV"}, "'NONE' has no items"),
            ({"outcome": "RSAT", "predictor": "REC", "moderator": "FTYPE"}, "'FTYPE' has no items"),
        ],
    )
    def test_what_cannot_be_asked(self, study, names, why):
        found = moderation.study_question(study, **names)
        assert isinstance(found, Unavailable)
        assert why in found.why

    @pytest.mark.parametrize("name", ["ecsi_mobile", "maxham_netemeyer_2003"])
    def test_studies_without_one_pass_it_on(self, name):
        other = load_study(name)
        asked = moderation.study_question(other)
        assert isinstance(asked, Unavailable)
        assert moderation.study_interaction(other, asked) is asked
        assert moderation.study_process(other, asked, seed=1) is asked
        assert moderation.question_confounder(other, asked) is asked
        assert sem_moderation.interaction_table(asked, asked) is asked
        assert sem_moderation.interaction_checks(other, asked, asked) == [asked]
        assert plot_johnson_neyman(sem_moderation.region_picture(asked)) is asked


class TestRecovery:
    def test_planted_product(self, study, question, results):
        truth = sem_moderation.planted_product(study, question)
        assert truth < 0
        for result in results:
            row = result.row("product")
            assert result.trustworthy
            assert row["std_low"] < truth < row["std_high"] < 0

    def test_all_checks_are_met(self, study, question, results):
        checks = sem_moderation.interaction_checks(study, question, *results)
        assert len(checks) == 7
        assert all(c.passed for c in checks)

    def test_mean_scores_shrink_the_product(self, study, question, results):
        own = moderation.study_process(study, question, n_boot=200, seed=1)
        table = own.coefficients.set_index("term")["estimate"]
        frame = {n: study.responses[question.items[n]].mean(axis=1) for n in question.names}
        sd = {n: float(np.std(v.dropna())) for n, v in frame.items()}
        std = table["REC:SEV"] * sd["REC"] * sd["SEV"] / sd["RSAT"]
        assert abs(std) < abs(results[0].row("product")["std"])

    def test_chain_of_scores(self, study, question):
        own = moderation.study_process(study, question, final="", n_boot=200, seed=1)
        latent = moderation.study_moderated_mediation(study, question, seed=1)
        index = own.effects[own.effects["kind"] == "index"].iloc[0]
        assert own.model == 7
        assert index["way"] == ("REC", "RSAT", "LOY")
        assert index["boot_high"] < 0 < -latent.index["estimate"]
        table = sem_process.process_effects_table(study, own)
        assert len(table.columns) == 6
        assert isinstance(
            moderation.study_process(study, question, final="SEV", seed=1), Unavailable
        )

    def test_moderated_mediation(self, study, question):
        found = moderation.study_moderated_mediation(study, question, seed=1)
        assert (found.source, found.mediator, found.outcome) == ("REC", "RSAT", "LOY")
        slopes = found.table["estimate"].to_numpy()
        assert slopes[2] - slopes[1] == pytest.approx(slopes[3])
        assert found.index["ci_high"] < 0


class TestSteps:
    def test_seven_unequal_steps_lose_part_of_the_product(self, study):
        """What the check of the planted product says, from the population's own thresholds."""
        measurement = study.truth["measurement"]
        rng = np.random.default_rng(1)
        n = 40_000
        x, z = rng.standard_normal((2, n))
        y = 0.6 * x - 0.075 * z - 0.15 * x * z
        y = y + np.sqrt(1 - y.var()) * rng.standard_normal(n)
        smooth, steps = {}, {}
        for name, latent in (("REC", x), ("SEV", z), ("RSAT", y)):
            scale = measurement["scales"][name]
            cuts = np.array(measurement["thresholds"][scale["profile"]])
            for k, (loading, shift) in enumerate(zip(scale["loadings"], scale["shift"])):
                value = loading * latent + np.sqrt(1 - loading**2) * rng.standard_normal(n)
                smooth[f"{name}{k}"] = value
                steps[f"{name}{k}"] = 1.0 + np.searchsorted(cuts + shift, value)
        names = ("REC", "SEV", "RSAT")
        lines = [f"{c} =~ {' + '.join(i for i in smooth if i[:-1] == c)}" for c in names]
        text = "\n".join([*lines, "RSAT ~ REC + SEV"])
        roles = {"predictor": "REC", "moderator": "SEV", "outcome": "RSAT", "estimator": "ML"}
        full, cut = (
            interaction_by_products(text, pd.DataFrame(d), **roles).row("product")["std"]
            for d in (smooth, steps)
        )
        assert full == pytest.approx(-0.15, abs=0.015)  # three standard errors
        assert 0.82 < cut / full < 0.93


class TestViews:
    def test_other_study_by_name(self):
        other = load_study("ecsi_mobile")
        asked = moderation.study_question(other, **NAMES)
        assert asked.items["PERV"] == ["PERV1", "PERV2"]
        found = moderation.study_interaction(other, asked, method="lms")
        assert found.trustworthy
        assert len(found.paths) == 3
        assert sem_moderation.planted_product(other, asked) is None

    def test_no_verdict_on_an_inadmissible_solution(self):
        """With 250 real respondents and weak items, one product's error variance is negative."""
        other = load_study("ecsi_mobile")
        asked = moderation.study_question(other, **NAMES)
        found = moderation.study_interaction(other, asked)
        assert not found.trustworthy
        for reading in (sem_moderation.product_sentence, sem_moderation.slopes_sentence,
                        sem_moderation.region_sentence):  # fmt: skip
            assert "no verdict is given" in reading(asked, found)

    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_texts_in_both_languages(self, language, question, results):
        set_language(language)
        try:
            sentences = [
                sem_moderation.product_sentence(question, results[1]),
                sem_moderation.slopes_sentence(question, results[0]),
                sem_moderation.region_sentence(question, results[0]),
                sem_moderation.interaction_table(question, *results).caption,
            ]
        finally:
            set_language("en")
        for sentence in sentences:
            assert any("\u4e00" <= c <= "\u9fff" for c in sentence) == (language == "zh")

    def test_pictures_carry_words(self, question, results):
        lines = plot_interaction(sem_moderation.interaction_picture(results[0]),
                                 **sem_moderation.axis_labels(question))  # fmt: skip
        assert "one SD below the mean" in attached_alt_text(lines)
        region = results[0].region
        ax = plot_johnson_neyman(region.curve, ends=[0.5],
                                 **sem_moderation.region_labels(question))  # fmt: skip
        assert "The regions meet at 0.50." in attached_alt_text(ax)
        first = f"{region.curve['slope'].iloc[0]:.2f}"
        assert first in attached_alt_text(ax)

    def test_confounder_of_a_models_effect(self, study):
        found = moderation.study_confounder(fit_model(study, "structural"))
        assert found.source == "REC"
        assert found.outcome == "LOY"
        assert 0 < found.tipping_interval < found.tipping < 1
        table = sem_confounder.confounder_table(study, found)
        assert "0." not in table.columns[0].label
        assert study.construct_name(found.cause) in sem_confounder.confounder_sentence(study, found)

    def test_confounder_needs_to_know_n(self):
        other = load_study("maxham_netemeyer_2003")
        found = moderation.study_confounder(fit_model(other, "structural"))
        assert isinstance(found, Unavailable)


class TestSingleItem:
    """A variable of one item: products can be formed, LMS cannot, and each text names its part."""

    @pytest.fixture
    def asked(self, study):
        return moderation.study_question(study, outcome="LOY", predictor="OSAT", moderator="SEV1")

    def test_lms_says_which_variable_has_one_item(self, study, asked):
        set_language("zh")
        try:
            found = moderation.study_interaction(study, asked, method="lms")
        finally:
            set_language("en")
        assert isinstance(found, Unavailable)
        assert "LMS" in found.what and "items=" not in found.why

    def test_chain_without_a_later_outcome_is_called_a_chain(self, study, asked):
        chain = moderation.study_process(study, asked, final="LOY", n_boot=50, seed=1)
        assert chain.what == "the moderated chain of mean scores"
