"""Write the rows and models of a few specifications for specification_curve.R.

Run from the project's root: python tests/reference/specification_curve.py FOLDER
"""

import json
import sys
from pathlib import Path

from helpers.sem import specification_choices as choices
from helpers.sem.specification_curve import SCALES
from helpers.survey.load import load_study

CASES = [
    ("structural", "declared", "fiml", "MLR", "latent"),
    ("structural_controls", "none", "fiml", "MLR", "latent"),
    ("structural", "without:duplicate", "listwise", "ML", "latent"),
    ("structural", "none", "listwise", "WLSMV", "latent"),
    ("structural", "without:failed_attention", "fiml", "MLR", "scores"),
]


def main(folder: Path) -> None:
    study = load_study("online_shopping")
    material = choices.make_material(study, choices.direct_effects(study), SCALES)
    for i, (model, exclusion, missing, estimator, scale) in enumerate(CASES, start=1):
        version = material.version(model, scale)
        rows = version.columns(material.rows[material.kept[exclusion]])
        rows.to_csv(folder / f"{i}.csv", index=False)
        (folder / f"{i}.lav").write_text(version.syntax + "\n")
        ordered = list(version.ordered) if estimator == "WLSMV" else []
        case = {"model": model, "exclusion": exclusion, "missing": missing}
        case |= {"estimator": estimator, "scale": scale, "ordered": ordered}
        (folder / f"{i}.json").write_text(json.dumps(case))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
