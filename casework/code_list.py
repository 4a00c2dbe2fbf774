"""What a code list is: codes with their meanings, a source, and the check of a value against them.

Lists are strings checked against data, not closed enums, so that a new code is a new version of a list and
not a new version of every message.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from casework.errors import RuleViolation


class CodeList(msgspec.Struct, frozen=True):
    """A named list of codes with their meanings and source.

    Attributes:
        name: Name of the list, as used in messages to senders.
        codes: Code to its meaning in plain words.
        source: Where the list comes from.
        iccam: Code to its numeric ICCAM v3 id, for the codes that have one.
    """

    name: str
    codes: Mapping[str, str]
    source: str
    iccam: Mapping[str, int] = MappingProxyType({})

    def __contains__(self, value: object) -> bool:
        return value in self.codes

    def check(self, field: str, value: str) -> RuleViolation | None:
        """Answer the violation that `value` in `field` is, or None when the code is known."""
        if value in self.codes:
            return None
        article = "an" if self.name[0] in "aeiou" else "a"
        text = f"not {article} {self.name}; known: {', '.join(self.codes)}"
        return RuleViolation(field, "unknown_code", text)
