"""What can be wrong with a bundle as a whole, or with one of its parts."""

from casework.errors import BadInputError, HotlineExchangeError, RuleViolation


class BundleRefusedError(BadInputError):
    """A file is no bundle, or a part of it is not in its form.

    Attributes:
        rule: Code of the rule.
        expected: What the rule asks for.
    """

    def __init__(self, rule: str, expected: str, part: str = "bundle") -> None:
        self.rule, self.expected = rule, expected
        super().__init__(RuleViolation(part, rule, expected))


class NoEvidenceError(HotlineExchangeError):
    """There is nothing to write: the case is not where evidence was asked from."""
