"""Errors about the directory file.

DirectoryRefusedError        (casework) the directory breaks rules; another one must be published
└── DirectoryFileError       the same, with the file and line of every violation
"""

from collections.abc import Iterable

import msgspec

from casework.errors import DirectoryRefusedError, RuleViolation


class Problem(msgspec.Struct, frozen=True, order=True):
    """One violation and where it stands; lines count from 1."""

    file: str
    line: int
    violation: RuleViolation

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.violation}"


class DirectoryFileError(DirectoryRefusedError):
    """The directory file breaks rules; every one is named with its line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(problem.violation for problem in self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
