"""Names that are safe as folders on every system, and that stay different when made safe."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 80
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.=-]*")
_OTHER = re.compile(r"[^A-Za-z0-9_.=-]+")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def is_path(text: str) -> bool:
    """Tell whether a text would lead to another folder, or hold a sign of control."""
    return bool(re.search(r"[/\\\x00-\x1f\x7f]", text)) or text.strip(" .") == ""


def safe_name(text: str) -> str:
    """Return a text as a folder's name: ASCII, short, and with a digest where it had to change.

    Accents go; other signs become ``-``. As two texts may become one in this way, the start of a
    hash of the original follows whenever something was changed.

    Examples
    --------
    >>> safe_name("platform=2")
    'platform=2'
    >>> safe_name("平台{a}")
    'a-8d5a2b2a'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    plain = _OTHER.sub("-", plain).strip("-.= ")[:LONGEST].strip("-.=")
    if plain == text and _SAFE.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    return f"{plain or 'report'}-{digest}"
