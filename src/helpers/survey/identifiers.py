"""Direct identifiers: columns that name or locate a person, by their name and by their cells."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from helpers.survey.findings import Said, said

NAMES = frozenset({
    "ipaddress", "ip address", "ipaddr", "ip-adresse", "ip 地址", "ip地址", "来自ip", "ip",
    "recipientlastname", "recipientfirstname", "recipientemail", "recipient last name",
    "recipient first name", "recipient email", "externalreference", "externaldatareference",
    "external data reference", "locationlatitude", "locationlongitude", "locationaccuracy",
    "location latitude", "location longitude", "location accuracy", "latitude", "longitude",
    "email", "emailaddress", "email address", "e-mail", "e-mail address", "name",
    "full name", "first name", "last name", "firstname", "lastname", "surname", "nickname",
    "phone", "phone number", "phonenumber", "telephone", "mobile number", "wechat",
    "wechat id", "token", "refurl", "referrer url", "custom data 1", "user id", "userid",
    "attribute_firstname", "attribute_lastname", "attribute_email", "ssn", "passport",
    "用户id", "微信昵称", "用户昵称", "来源详情", "姓名", "您的姓名", "昵称", "手机号",
    "手机号码", "电话", "电话号码", "联系电话", "联系方式", "邮箱", "电子邮箱", "邮箱地址",
    "电子邮件", "微信号", "qq", "qq号", "身份证", "身份证号", "身份证号码",
    "学号", "家庭住址", "住址", "详细地址", "收货地址", "通讯地址",
    "address", "home address", "postal address", "street address", "mailing address",
    "adresse", "anschrift", "student number", "student id", "matriculation number",
    "matrikelnummer", "employee number", "employee id", "iban", "account number",
    "external reference", "custom data", "lat", "lon", "lng",
    "nachname", "vorname", "e-mail-adresse", "telefon", "telefonnummer", "breitengrad",
    "längengrad", "nachname des empfängers", "vorname des empfängers", "e-mail des empfängers",
    "externe datenreferenz", "breitengrad des standorts", "längengrad des standorts",
    "nom", "prénom", "adresse e-mail", "adresse électronique", "téléphone", "adresse ip",
    "apellido", "apellidos", "nombre", "correo electrónico", "dirección ip", "teléfono",
    "cognome", "indirizzo e-mail", "indirizzo ip", "sobrenome", "endereço ip", "メールアドレス",
    "氏名", "電話番号", "ip アドレス", "이메일", "이름", "전화번호",
})  # fmt: skip
"""Column names of direct identifiers, lower case, in the languages that platforms write."""

_ASKED = re.compile(
    r"(您|你|填写|留下|联系)[^,，。?？]{0,8}(姓名|手机号|电话|联系方式|邮箱|微信号|QQ号|身份证|学号|住址)"
    r"|\b(your|enter|leave)\b[^.?]{0,20}\b(e-?mail( address)?|phone( number)?|full name|"
    r"first name|last name|passport number|wechat id)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(?:your |the )?(?:first|last|full|family|given|middle|maiden|nick|sur|respondents?|resp"
    r"|participants?|customers?|users?|contact|students?|employees?|patients?|recipients?)"
    r" ?names?|names? of (?:the |your )?(?:resp\w*|participant|customer|student|employee|patient)"
)
"""Names of columns that hold names of persons; a shop's or a brand's name is none."""

_SIGNS = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"^(?:Q?\d+(?:\.\d+)*\s*[、.:：)）]\s*|\*\s*)+")
_PATTERNS = {
    "e-mail addresses": r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}",
    "network addresses": r"(?:\d{1,3}\.){3}\d{1,3}(?:[(（].*[)）])?"
    r"|(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}",
    "mobile phone numbers": r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|\+\d[\d ().-]{7,17}\d"
    r"|(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}",
    "national identity numbers": r"\d{17}[\dXx]|\d{3}-\d{2}-\d{4}",
    "coordinates": r"-?\d{1,3}\.\d{3,}\s*[,，]\s*-?\d{1,3}\.\d{3,}",
}
_NAMED = {
    "e-mail addresses": said("e-mail addresses"),
    "network addresses": said("network addresses"),
    "mobile phone numbers": said("mobile phone numbers"),
    "national identity numbers": said("national identity numbers"),
    "coordinates": said("coordinates"),
}
_WHOLE = {kind: re.compile(p, re.IGNORECASE) for kind, p in _PATTERNS.items()}
_INSIDE = re.compile(
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx](?!\d)"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOST = 2000
_HALF = 0.5


def plain_name(column: str) -> str:
    """Return a column name as compared: narrow, trimmed, lower case, without its number."""
    narrow = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", str(column))).strip()
    return _NUMBERED.sub("", narrow).strip().casefold()


def by_name(column: str) -> bool:
    """Tell whether a column name, or the question that it holds, asks for a direct identifier."""
    return is_named_so(column) or bool(_ASKED.search(str(column)))


def is_named_so(column: str) -> bool:
    """Tell whether a column bears the name of a direct identifier, however it is written.

    Programs write ``RecipientLastName`` as ``recipient_last_name`` or ``Recipient.Last.Name``.
    """
    name = plain_name(column)
    if name in NAMES or squeezed(name) in _SQUEEZED:
        return True
    return bool(_PERSON.fullmatch(_SIGNS.sub(" ", name).strip()))


def squeezed(name: str) -> str:
    """Return a name without blanks and signs, lower case."""
    return _SIGNS.sub("", name).casefold()


_SQUEEZED = frozenset(squeezed(name) for name in NAMES)


def long_enough(texts: list[object]) -> bool:
    """Tell whether any of a column's distinct texts could be, or hold, an identifier."""
    return max(map(len, map(str, texts)), default=0) >= _SHORTEST


def by_content(distinct_texts: list[object]) -> str | None:
    """Return what a column's cells identify persons by, or None.

    A column counts when at least half of its distinct texts (the first 2000 of them are looked at)
    are, as a whole, e-mail addresses, network addresses, phone numbers, coordinates or national
    identity numbers; Chinese identity numbers must carry their right check digit (GB 11643-1999).
    """
    texts = [t for t in (str(v).strip() for v in distinct_texts[:_MOST]) if t]
    if not long_enough(texts):
        return None
    for kind, pattern in _WHOLE.items():
        hits = [t for t in texts if pattern.fullmatch(t)]
        if kind == "national identity numbers":
            hits = [t for t in hits if len(t) != len(_WEIGHTS) + 1 or has_check_digit(t)]
        if len(hits) >= _HALF * len(texts):
            return kind
    return None


_SHORTEST = 6
"""No identifier that can be told by its form is shorter."""


def within_text(distinct_texts: list[object]) -> int:
    """Return how many distinct texts hold an e-mail address, a phone or an identity number."""
    texts = map(str, distinct_texts)
    return sum(len(t) >= _SHORTEST and bool(_INSIDE.search(t)) for t in texts)


def has_check_digit(number: str) -> bool:
    """Tell whether an 18-place Chinese identity number ends in its check digit."""
    if not re.fullmatch(r"\d{17}[\dXx]", number):
        return False
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, number))
    return "10X98765432"[total % 11] == number[-1].upper()


def distinct(cells: pd.Series) -> list[object]:
    """Return the distinct cells in order of appearance; cheap where they are a dictionary."""
    if not isinstance(cells.dtype, pd.CategoricalDtype):
        return cells.unique().tolist()
    array = cells.array
    texts = array.categories.to_numpy(object)
    return [texts[i] for i in pd.unique(array.codes)]


def named(kind: str) -> Said:
    """Return a kind of identifier, as ``by_content`` gives it, for messages in any language."""
    return _NAMED[kind]
