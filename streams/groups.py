"""The consumer groups of the workers, named in one place: rights are given to them by name.

Settings put the topic prefix before each. Members' groups are named in `streams.read_marks`.
"""

from typing import Final

INTAKE: Final = "intake"
INTAKE_URGENT: Final = "intake-urgent"
CASEKEEPER: Final = "casekeeper"
