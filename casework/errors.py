"""Errors of the rules, grouped by what the caller must do about them.

HotlineExchangeError
├── BadInputError            the sender corrects the input and sends it again; names field and rule
│   ├── UnknownCountryError  the country code is neither in ISO 3166-1 nor an alias nor a pseudo-country
│   ├── UnknownMemberError   the directory version in use does not list this member
│   └── ForeignRecordError   an admitted record does not belong to the case it names
├── TemporaryError           try the same again later, nothing needs to change
├── SetupError               an operator changes settings or data before the process can work
│   ├── DirectoryRefusedError   the directory document breaks rules; another one must be published
│   └── EditRefusedError     the directory file was not changed; the reason says what is missing
├── BugError                 the program contradicts itself; park the case and tell the developers
└── FatalError               the process stops without a commit; its successor repeats the work

Texts name the field and the rule and never repeat the value: a value may hold an address or a secret.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

BROKEN_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on hostile JSON: the second on a text that is no UTF-8, the third on deep nesting."""


class RuleViolation(msgspec.Struct, frozen=True, order=True):
    """One rule that an input breaks, as told to the sender.

    Attributes:
        field: Path of the offending field, such as `report.site_type` or `members[3].countries`.
        rule: Name of the rule, a stable snake_case code such as `unknown_code`.
        message: What is expected, in plain words, without the offending value.
    """

    field: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message} ({self.rule})"


class HotlineExchangeError(Exception):
    """Root of every error this project raises on purpose."""


class BadInputError(HotlineExchangeError):
    """The sender must correct the input; sending the same again gives the same answer."""

    def __init__(self, violations: RuleViolation | Iterable[RuleViolation]) -> None:
        self.violations: tuple[RuleViolation, ...] = (
            (violations,) if isinstance(violations, RuleViolation) else tuple(violations)
        )
        super().__init__("; ".join(str(violation) for violation in self.violations))


class UnknownCountryError(BadInputError):
    """The country code is refused, never guessed."""


class UnknownMemberError(BadInputError):
    """The directory version in use does not list this member."""


class ForeignRecordError(BadInputError):
    """An admitted record does not belong to the case it names; intake cannot have written it."""


class TemporaryError(HotlineExchangeError):
    """Nothing is wrong with the input: the same may succeed later."""


class SetupError(HotlineExchangeError):
    """Settings or data must be changed by an operator before the process can work."""


class DirectoryRefusedError(SetupError):
    """The directory document breaks rules and must not take effect."""

    def __init__(self, violations: Iterable[RuleViolation]) -> None:
        self.violations: tuple[RuleViolation, ...] = tuple(violations)
        super().__init__("directory refused: " + "; ".join(str(violation) for violation in self.violations))


class EditRefusedError(SetupError):
    """The directory file was left as it was; the violations say what is missing or not allowed."""

    def __init__(self, violations: RuleViolation | Iterable[RuleViolation]) -> None:
        self.violations: tuple[RuleViolation, ...] = (
            (violations,) if isinstance(violations, RuleViolation) else tuple(violations)
        )
        super().__init__("not changed: " + "; ".join(str(violation) for violation in self.violations))


class BugError(HotlineExchangeError):
    """The program contradicts itself; no input can be blamed and no retry cures it."""


class FatalError(HotlineExchangeError):
    """The process must stop without a commit; its successor repeats the work from the last one."""
