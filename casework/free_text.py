"""What no text of a submission may hold: control characters anywhere, and traces of persons in free text.

The exchange has no field for reporters. Free text is where their addresses and numbers would slip in, so
senders check it before sealing, and intake checks it again wherever it can read it. The patterns prefer to
miss: an internet address, a date or a reference must not stop a report.
"""

import re
from typing import Final

from casework.errors import RuleViolation

# C0 and C1 controls, line and paragraph separators, the byte order mark, and the characters that reorder
# text, with which a note could show an analyst something other than it holds.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROL_BUT_LINES: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_MAIL_ADDRESS: Final = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# International form (+ or 00), or national form (a leading 0) of at least nine digits in groups; never inside
# an address, a path or a longer number.
_PHONE_NUMBER: Final = re.compile(
    r"(?<![\w./=&?#:-])(?:\+|00)[1-9](?:[ ()/.-]{0,2}\d){7,13}(?![\w])"
    r"|(?<![\w./=&?#:+-])0[1-9]\d{0,3}[ /-]?(?:\d{2,4}[ -]?){2,4}\d{2}(?![\w./-])"
)


def has_control_characters(text: str, *, lines: bool = False) -> bool:
    """Answer whether the text holds a control character; with `lines`, tab and line ends are allowed."""
    return (_CONTROL_BUT_LINES if lines else _CONTROL).search(text) is not None


def check_characters(path: str, text: str, *, lines: bool = False) -> RuleViolation | None:
    """Answer the violation that a control character in `text` is, or None."""
    if not has_control_characters(text, lines=lines):
        return None
    return RuleViolation(path, "control_character", "no control or text-direction characters")


def check_persons(path: str, text: str) -> RuleViolation | None:
    """Answer the violation that a mail address or a phone number in free text is, or None."""
    if _MAIL_ADDRESS.search(text) is not None:
        return RuleViolation(path, "mail_address", "no mail addresses: the exchange carries no persons")
    if _PHONE_NUMBER.search(text) is not None:
        return RuleViolation(path, "phone_number", "no phone numbers: the exchange carries no persons")
    return None
