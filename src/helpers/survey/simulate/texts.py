"""Free texts: comments and complaints put together from short phrases, in two languages.

The phrases are data of the simulated study, not texts for readers of a report; they stand in both
languages here and are therefore not looked up in the catalogue.
"""

from __future__ import annotations

import numpy as np

from helpers.survey.simulate.draws import Draws

CHINESE, ENGLISH = 1, 2

OPENING = {
    CHINESE: ["我上周买了{goods}，", "这是我第二次在这家店买{goods}，",
              "活动期间下单的{goods}，", "给家人买的{goods}，"],
    ENGLISH: ["I ordered {goods} last week; ", "My second order of {goods} here: ",
              "Bought {goods} in the sale; ", "The {goods} was a present for my family; "],
}  # fmt: skip
GOODS = {
    CHINESE: ["外套", "耳机", "电饭煲", "书包", "面霜", "台灯", "运动鞋", "手机壳"],
    ENGLISH: ["a coat", "headphones", "a rice cooker", "a school bag", "face cream", "a desk lamp",
              "running shoes", "a phone case"],
}  # fmt: skip
FAILURE = {
    CHINESE: {
        1: ["实物和页面介绍不一样", "尺寸写错了，根本穿不了", "页面写着有货，付款后才说没有"],
        2: ["等了十天还没发货", "物流一直停在同一个地方", "说好三天到，结果晚了一个星期"],
        3: ["扣了两次款", "付款成功了订单却显示未付", "退款拖了很久没有到账"],
        4: ["客服半天才回一句", "退货的规定说不清楚", "换了三个客服，每次都要重讲一遍"],
        5: ["下单后就不断接到骚扰电话", "快递单上的号码全写出来了", "别人竟然知道我买了什么"],
    },
    ENGLISH: {
        1: ["it was not what the page had shown", "the size given on the page was wrong",
            "the page said in stock, after payment it was not"],
        2: ["ten days later it had not been sent", "the parcel stayed in one place for days",
            "promised in three days, it came a week late"],
        3: ["I was charged twice", "I paid, yet the order stayed unpaid",
            "the refund did not arrive for weeks"],
        4: ["the service desk took hours for one line", "nobody could tell me the return rules",
            "three people, and each time I had to start again"],
        5: ["unwanted calls began right after the order", "my full number stood on the parcel",
            "a stranger knew what I had bought"],
    },
}  # fmt: skip
WEIGHT = {
    CHINESE: {1: "，不过影响不大。", 2: "，有点耽误事。", 3: "，给我添了很大麻烦。",
              4: "，损失严重，完全不能接受。"},
    ENGLISH: {1: ", though it hardly mattered.", 2: ", which held me up somewhat.",
              3: ", which caused me a lot of trouble.",
              4: ", a heavy loss that I cannot accept."},
}  # fmt: skip
TONE = {
    CHINESE: {1: "请核实并处理。", 2: "真的很失望。", 3: "太气人了，马上给我解决！"},
    ENGLISH: {1: "Please check and settle it.", 2: "I am really disappointed.",
              3: "This is outrageous, settle it at once!"},
}  # fmt: skip
COMMENTS = {
    CHINESE: ["客服态度不错。", "希望以后主动告诉我进度。", "同样的问题出了两次。",
              "没有别的意见。"],
    ENGLISH: ["The staff were friendly.", "Tell me about progress without my asking.",
              "The same thing happened twice.", "Nothing to add."],
}  # fmt: skip
COMMENTS_BY_MEASURE = {
    CHINESE: {
        1: ["优惠券很快就到账了，点赞。", "优惠券要凑单才能用。"],
        2: ["换货的运费也应该商家出。", "处理得还行，就是换货慢了点。"],
        3: ["只道歉，没有任何补偿。", "道歉还算诚恳。"],
        4: ["到现在也没人管。", "联系了几次都没有回音。"],
    },
    ENGLISH: {
        1: ["The coupon came at once, well done.", "The coupon is valid for large orders only."],
        2: ["The shop should have paid for the return.", "Settled, only the exchange was slow."],
        3: ["Sorry was all I got.", "The apology was sincere enough."],
        4: ["Nobody has looked after it to this day.", "I wrote several times, without an answer."],
    },
}
HOSTILE = (
    "<script>alert('x')</script>",
    '=HYPERLINK("http://example.org","click")',
    "<img src=x onerror=alert(1)>",
    "@SUM(1+1)",
    "+1+1",
    "-2+3",
    "</td></table><h1>x</h1>",
    "{{ 7*7 }} ${7*7}",
)
"""Strings that must reach neither a page unescaped nor a spreadsheet as a formula."""


def comments(languages: np.ndarray, measures: np.ndarray, seed: int) -> np.ndarray:
    """Return one short comment a person, in the person's language and fitting the measure."""
    place = Draws(seed, "comments").uniform(len(languages))
    out = []
    for language, measure, u in zip(languages, measures, place, strict=True):
        words = COMMENTS[language] + COMMENTS_BY_MEASURE[language][measure]
        out.append(words[int(u * len(words))])
    return np.asarray(out, dtype=object)


def complaints(
    languages: np.ndarray, failure: np.ndarray, severity: np.ndarray, tone: np.ndarray, seed: int
) -> list[str]:
    """Return one complaint a case; failure, severity and tone are the true classes."""
    draws, n = Draws(seed, "complaints"), len(languages)
    place = draws.uniform(3, n)
    out = []
    for k in range(n):
        language = int(languages[k])
        options = (OPENING[language], GOODS[language], FAILURE[language][int(failure[k])])
        opening, goods, what = (
            words[int(place[i, k] * len(words))] for i, words in enumerate(options)
        )
        out.append(
            opening.format(goods=goods)
            + what
            + WEIGHT[language][int(severity[k])]
            + ("" if language == CHINESE else " ")
            + TONE[language][int(tone[k])]
        )
    return out


def with_hostile(texts: list[str] | np.ndarray, places: np.ndarray) -> list[str]:
    """Return the texts with one hostile string each at the given places."""
    out = list(texts)
    for k, place in enumerate(places):
        out[place] = HOSTILE[k % len(HOSTILE)]
    return out
