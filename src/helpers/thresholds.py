"""Every cut-off of the suite, with its source; none stands inside a function.

A cut-off is never a verdict alone: reports print the value, the cut-off and the source.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.95
"""Confidence level of the whole suite, as a proportion."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One cut-off: ``direction`` is ``"min"`` (at least), ``"max"`` (at most)."""

    name: str
    value: float
    direction: str
    source: str
    doi: str = ""

    def holds(self, value: float) -> bool:
        """Tell whether a value meets the cut-off."""
        return value >= self.value if self.direction == "min" else value <= self.value


def _rows() -> dict[str, Threshold]:
    hair = ("Hair, Hult, Ringle & Sarstedt (2022)", "")
    nunnally = ("Nunnally & Bernstein (1994)", "")
    fornell = ("Fornell & Larcker (1981)", "10.1177/002224378101800104")
    hu = ("Hu & Bentler (1999)", "10.1080/10705519909540118")
    bentler = ("Bentler & Bonett (1980)", "10.1037/0033-2909.88.3.588")
    browne = ("Browne & Cudeck (1992)", "10.1177/0049124192021002005")
    henseler = ("Henseler, Ringle & Sarstedt (2015)", "10.1007/s11747-014-0403-8")
    ronkko = ("Rönkkö & Cho (2022)", "10.1177/1094428120968614")
    west = ("West, Finch & Curran (1995)", "")
    meade = ("Meade & Craig (2012)", "10.1037/a0028085")
    terwee = ("Terwee et al. (2007)", "10.1016/j.jclinepi.2006.03.012")
    muthen = ("Muthén & Muthén (2002)", "10.1207/S15328007SEM0904_8")
    rows = [
        Threshold("loading", 0.708, "min", *hair),
        Threshold("loading_low", 0.50, "min", *hair),
        Threshold("alpha", 0.70, "min", *nunnally),
        Threshold("omega", 0.70, "min", *nunnally),
        Threshold("composite_reliability", 0.70, "min", *fornell),
        Threshold("redundant", 0.95, "max", *hair),
        Threshold("ave", 0.50, "min", *fornell),
        Threshold("item_rest", 0.30, "min", *nunnally),
        Threshold("htmt_strict", 0.85, "max", *henseler),
        Threshold("htmt", 0.90, "max", *henseler),
        Threshold("latent_r", 0.80, "max", *ronkko),
        Threshold("latent_r_high", 0.90, "max", *ronkko),
        Threshold("cfi", 0.95, "min", *hu),
        Threshold("cfi_low", 0.90, "min", *bentler),
        Threshold("tli", 0.95, "min", *hu),
        Threshold("tli_low", 0.90, "min", *bentler),
        Threshold("rmsea", 0.06, "max", *hu),
        Threshold("rmsea_high", 0.08, "max", *browne),
        Threshold("srmr", 0.08, "max", *hu),
        Threshold("residual_r", 0.10, "max", "Kline (2016), 4th edition, chapter 12"),
        Threshold(
            "delta_cfi", 0.010, "max", "Cheung & Rensvold (2002)", "10.1207/S15328007SEM0902_5"
        ),
        Threshold("delta_rmsea", 0.015, "max", "Chen (2007)", "10.1080/10705510701301834"),
        Threshold("vif", 3.0, "max", *hair),
        Threshold("vif_high", 5.0, "max", *hair),
        Threshold(
            "equivalence_sd",
            0.20,
            "max",
            "convention of this suite: a change below Cohen's (1988) small effect counts as none",
        ),
        Threshold("clusters", 30, "min", "Maas & Hox (2005)", "10.1027/1614-2241.1.3.86"),
        Threshold(
            "coding", 0.80, "min", "Krippendorff (2004)", "10.1111/j.1468-2958.2004.tb00738.x"
        ),
        Threshold(
            "coding_low", 0.667, "min", "Krippendorff (2004)", "10.1111/j.1468-2958.2004.tb00738.x"
        ),
        Threshold("again", 0.90, "min", "convention of this suite for a verdict on dominance"),
        Threshold("cooks_distance", 1.0, "max", "Cook & Weisberg (1982)"),
        Threshold("kmo", 0.60, "min", "Kaiser (1974)", "10.1007/BF02291575"),
        Threshold(
            "seconds_per_item", 2.0, "min", "Huang et al. (2012)", "10.1007/s10869-011-9231-8"
        ),
        Threshold(
            "cell_size", 5, "min", "Sweeney (2002), k-anonymity", "10.1142/S0218488502001648"
        ),
        Threshold(
            "blanked_share",
            0.05,
            "max",
            "convention of this suite for the suppression of Samarati (2001)",
            "10.1109/69.971193",
        ),
        Threshold("interval_gap", 0.15, "max", "convention of this suite"),
        Threshold("failed_replicates", 0.05, "max", "convention of this suite"),
        Threshold(
            "coverage", 0.90, "min", "convention of this suite for one sample; 0.95 in the long run"
        ),
        Threshold(
            "leak_auc",
            0.90,
            "max",
            "convention of this suite: one predictor that ranks better may know the outcome",
        ),
        Threshold(
            "group_size",
            30,
            "min",
            "convention of this suite: below it, a group is described but not compared",
        ),
        Threshold("selection_for_models", 100, "min", "Boomsma (1985)", "10.1007/BF02294248"),
        Threshold(
            "partial_share",
            0.5,
            "max",
            "convention of this suite: at most half of a factor's items may differ",
        ),
        Threshold(
            "anchors",
            2,
            "min",
            "Steenkamp & Baumgartner (1998)",
            "10.1086/209528",
        ),
        Threshold(
            "dmacs",
            0.20,
            "max",
            "Nye, Bradburn, Olenick, Bialko & Drasgow (2019)",
            "10.1177/1094428118761122",
        ),
        Threshold("longstring_share", 0.5, "max", "Curran (2016)", "10.1016/j.jesp.2015.07.006"),
        Threshold(
            "irv",
            0.10,
            "min",
            "convention of this suite for the index of Dunn et al. (2018)",
            "10.1007/s10869-016-9479-0",
        ),
        Threshold(
            "careless_items",
            8,
            "min",
            "convention of this suite: with fewer scale items, equal answers are no sign",
        ),
        Threshold(
            "even_odd",
            0.30,
            "min",
            "Jackson (1976), in Johnson (2005)",
            "10.1016/j.jrp.2004.09.009",
        ),
        Threshold("synonym_r", 0.60, "min", *meade),
        Threshold("antonym_r", -0.60, "max", *meade),
        Threshold("synonyms", 0.0, "min", "convention of this suite: no better than chance"),
        Threshold("antonyms", 0.0, "max", "convention of this suite: no better than chance"),
        Threshold(
            "consistency_pairs",
            10,
            "min",
            "convention of this suite: with fewer pairs, a correlation over them is noise",
        ),
        Threshold(
            "consistency_rows",
            100,
            "min",
            "convention of this suite: with fewer respondents, items correlate highly by chance",
        ),
        Threshold(
            "repeat_items",
            20,
            "min",
            "convention of this suite: in a shorter block, answers repeat by chance",
        ),
        Threshold("person_total", 0.0, "min", "Curran (2016)", "10.1016/j.jesp.2015.07.006"),
        Threshold("mahalanobis", 0.001, "min", "Tabachnick & Fidell (2019)"),
        Threshold(
            "autocorrelation",
            0.90,
            "max",
            "convention of this suite for the index of Gottfried et al. (2022)",
            "10.7275/vyxb-gt24",
        ),
        Threshold(
            "contradictions",
            0.5,
            "max",
            "convention of this suite for opposite pairs, after Weijters et al. (2013)",
            "10.1037/a0032121",
        ),
        Threshold(
            "answered_share", 0.5, "min", "Graham (2009)", "10.1146/annurev.psych.58.110405.085530"
        ),
        Threshold(
            "missing_events", 5, "min", "Vittinghoff & McCulloch (2007)", "10.1093/aje/kwk052"
        ),
        Threshold(
            "treatment_shift",
            0.40,
            "max",
            "Collins, Schafer & Kam (2001)",
            "10.1037/1082-989X.6.4.330",
        ),
        Threshold(
            "imputations_per_fmi", 100, "min", "White, Royston & Wood (2011)", "10.1002/sim.4067"
        ),
        Threshold(
            "continuous_categories",
            5,
            "min",
            "Rhemtulla, Brosseau-Liard & Savalei (2012)",
            "10.1037/a0029315",
        ),
        Threshold("faults_found", 0.95, "min", "aim of this suite for its simulated study"),
        Threshold("sound_lost", 0.02, "max", "aim of this suite for its simulated study"),
        Threshold("missing_share", 0.05, "max", "Schafer (1999)", "10.1177/096228029900800102"),
        Threshold("skewness", 2.0, "max", *west),
        Threshold("kurtosis", 7.0, "max", *west),
        Threshold(
            "profile_share",
            0.05,
            "min",
            "convention of this suite: a smaller profile seldom comes again in another sample",
        ),
        Threshold("profile_distance", 0.50, "min", "Cohen (1988), medium difference"),
        Threshold("entropy", 0.80, "min", "convention of this suite for profiles read as certain"),
        Threshold("power", 0.80, "min", "Cohen (1988)"),
        Threshold("allocation_p", 0.001, "min", "Fabijan et al. (2019)", "10.1145/3292500.3330722"),
        Threshold("fong_z", 1.65, "min", "Fong (1996)"),
        Threshold("category_strength", 0.06, "min", "Lee & Newcomb (1997)"),
        Threshold("total_strength", 0.60, "min", "Lee & Newcomb (1997)"),
        Threshold("relative_bias", 0.10, "max", *muthen),
        Threshold("se_bias", 0.05, "max", *muthen),
        Threshold("coverage_low", 0.91, "min", *muthen),
        Threshold("coverage_high", 0.98, "max", *muthen),
        Threshold("floor_ceiling", 0.15, "max", *terwee),
    ]
    return {row.name: row for row in rows}


THRESHOLDS: dict[str, Threshold] = _rows()
