"""Checks of single fields that reports and actions share."""

import re
from collections.abc import Iterator
from typing import Any, Final

from casework.code_list import CodeList
from casework.countries import unknown_country
from casework.directory import Directory
from casework.errors import RuleViolation, UnknownCountryError

UUID7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPAQUE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NOT_OPAQUE: Final = "letters, digits, dot, colon, hyphen, underscore"


def check_codes(statement: Any, fields: tuple[tuple[str, CodeList], ...]) -> Iterator[RuleViolation]:  # noqa: ANN401 - a statement of either kind
    """Yield the fields whose code is not in their list; those that are not given are none."""
    for field, known in fields:
        code = getattr(statement, field)
        if code is not None and code not in known.codes:
            yield from one(known.check(field, code))


def check_country(field: str, code: str, directory: Directory) -> Iterator[RuleViolation]:
    """Yield the violation that `code` in `field` is, unless it is a country, an alias or a pseudo-country."""
    try:
        directory.country_code(code)
    except UnknownCountryError:
        yield unknown_country(field)


def one(violation: RuleViolation | None) -> Iterator[RuleViolation]:
    """Yield a violation, if there is one."""
    if violation is not None:
        yield violation
