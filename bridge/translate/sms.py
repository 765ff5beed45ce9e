"""Count the segments that a text takes as one concatenated SMS.

GSM 03.38: a text of the default alphabet is sent in 7-bit units, 153 to a concatenated segment;
any other text in UTF-16 units, 67 to a segment. Neither an escaped character of the extension
table nor a surrogate pair is divided between segments, so a segment may leave one unit unused.
"""

from __future__ import annotations

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = "^{}\\[~]|€\f"  # two units each

GSM_SEGMENT = 153  # 7-bit units in one segment of a concatenated SMS
UCS_SEGMENT = 67  # 16-bit units in one segment of a concatenated SMS

_GSM = frozenset(_BASIC + _ESCAPED)
_WIDE = frozenset(_ESCAPED)
_LAST_OF_BMP = "\uffff"


def segments(text: str) -> int:
    """Return the segments of ``text``, each of the concatenated size even if it is the only one."""
    if _GSM.issuperset(text):
        return _count(text, GSM_SEGMENT, [char in _WIDE for char in text])
    return _count(text, UCS_SEGMENT, [char > _LAST_OF_BMP for char in text])


def _count(text: str, size: int, wide: list[bool]) -> int:
    if not any(wide):
        return -(-len(text) // size)
    full, used = 0, 0
    for is_wide in wide:
        width = 2 if is_wide else 1
        if used + width > size:
            full, used = full + 1, 0
        used += width
    return full + (1 if used else 0)
