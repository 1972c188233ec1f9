"""Contract: Chinese texts are set with Chinese signs; English texts and formulas stay."""

import pandas as pd
import pytest

from helpers.i18n import in_language
from helpers.tables import apa_table
from helpers.typeset import typeset

CASES = {
    "年龄 (岁), 性别: 男。 下一句": "年龄（岁），性别：男。下一句",
    "公式在此未固定权重.": "公式在此未固定权重。",
    "Q: 可疑回答. 0 对缺一侧回答": "Q：可疑回答。0 对缺一侧回答",
    "N = 942; 完整行 n = 7": "N = 942；完整行 n = 7",
    "其中 n = 779. 按意向性分析": "其中 n = 779。按意向性分析",
    "1. 第一条, E4. 第四条": "1. 第一条，E4. 第四条",
    "见 Hu & Bentler (1999), p = .012": "见 Hu & Bentler (1999), p = .012",
    "差值为 0.31 (d = 0.4, 95%), 较小": "差值为 0.31 (d = 0.4, 95%)，较小",
    "https://a.b/c?d=1,2 与 12:30": "https://a.b/c?d=1,2 与 12:30",
    "商品信息错误 (250), 隐私泄露 (65)": "商品信息错误（250），隐私泄露（65）",
    "外层 (内层 (年龄) 之外)": "外层（内层（年龄）之外）",
}


@pytest.mark.parametrize(("raw", "right"), CASES.items(), ids=range(len(CASES)))
def test_signs_beside_chinese_are_chinese(raw, right):
    with in_language("zh"):
        assert typeset(raw) == right
        assert typeset(right) == right


def test_english_pages_are_left_alone():
    assert typeset("年龄 (岁), age: x") == "年龄 (岁), age: x"
    with in_language("zh"):
        assert typeset("Age (years), p: .01") == "Age (years), p: .01"


def test_tables_are_set():
    frame = pd.DataFrame({"label": ["性别: 男"], "estimate": [0.25]})
    with in_language("zh"):
        shown = apa_table(
            frame, caption="各项 (主要)", columns={"label": "名称 (项)"}, note="甲; 乙."
        )
    assert (shown.caption, shown.note) == ("各项（主要）", "甲；乙。")
    assert shown.cells[0][0] == "性别：男" and shown.columns[0].label == "名称（项）"
