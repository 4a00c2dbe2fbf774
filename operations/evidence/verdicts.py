"""What a check of a bundle says: one line for each thing that was looked at, in the order of looking."""

from typing import Final, Literal

import msgspec

Verdict = Literal["ok", "FAILED", "not proven"]
OK: Final = "ok"
FAILED: Final = "FAILED"
NOT_PROVEN: Final = "not proven"


class Check(msgspec.Struct, frozen=True):
    """One line.

    Attributes:
        verdict: `ok`; `FAILED`: somebody changed something, or it was never right; `not proven`: nothing
            speaks against it, and nothing in the bundle proves it.
        part: What was looked at.
        rule: Code of the rule.
        text: What that means.
    """

    verdict: Verdict
    part: str
    rule: str
    text: str


class Findings:
    """Collects checks."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def ok(self, part: str, rule: str, text: str) -> None:
        """Note that something is right."""
        self.checks.append(Check("ok", part, rule, text))

    def failed(self, part: str, rule: str, text: str) -> None:
        """Note that something is wrong."""
        self.checks.append(Check("FAILED", part, rule, text))

    def unproven(self, part: str, rule: str, text: str) -> None:
        """Note that something rests on somebody's word alone."""
        self.checks.append(Check("not proven", part, rule, text))

    def require(self, holds: object, part: str, rule: str, text: str) -> bool:
        """Note a failure unless something holds; answer whether it does."""
        if not holds:
            self.failed(part, rule, text)
        return bool(holds)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.verdict == FAILED)

    @property
    def open_questions(self) -> tuple[Check, ...]:
        """The checks that prove nothing."""
        return tuple(check for check in self.checks if check.verdict == NOT_PROVEN)
