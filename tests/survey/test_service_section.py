"""Contract: names under the key `service` of a study file must exist in the study."""

import shutil

import pytest

from helpers import load_study, paths
from helpers.errors import CodebookError
from helpers.study import read_folder


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "online_shopping"
    shutil.copytree(
        paths.data_folder() / "online_shopping", folder, ignore=shutil.ignore_patterns("raw")
    )
    return folder


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("functional: KF03", "functional: KF33", "'KF33' is not an item"),
        ("    module: kano", "    module: cano", "'cano' is not a module"),
        ("    formation: structural", "    formation: structure", "'structure' is not a model"),
        ("value_per_point: 60.0", "value_per_point: -60.0", "greater than or equal to 0"),
        ("cost: 12.0", "cost: -12.0", "greater than or equal to 0"),
        ("variant", "varient", None),
    ],
)
def test_faults_name_the_key(copied, wrong, right, message):
    text = (copied / "study.yml").read_text(encoding="utf-8")
    if message is None:
        changed = text.replace(
            "  servqual:\n    module", f"  servqual:\n    {right}: x\n    module"
        )
        message = f"{right}: is not a key"
    else:
        changed = text.replace(wrong, right, 1)
    assert changed != text
    (copied / "study.yml").write_text(changed, encoding="utf-8")
    with pytest.raises(CodebookError) as caught:
        read_folder(copied)
    assert message in str(caught.value)


def test_offers_names_the_part_that_is_lacking():
    study = load_study("online_shopping")
    assert study.offers("service:kano") is None
    lacking = load_study("maxham_netemeyer_2003").offers("service:kano")
    assert "kano" in lacking.what
