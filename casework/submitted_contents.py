"""What makes the content of a submission acceptable, wherever somebody can read it.

Senders run these checks before they seal; intake runs them again where the content is clear. They are the
only checks that see an address, so no violation ever repeats a value.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from casework.errors import RuleViolation
from casework.free_text import check_persons
from casework.messages import ActionContent, ReportContent, ReportStatement
from casework.texts import check_texts
from casework.urls import check_url

NO_ADDRESS: Final = "no_address"
_NO_ADDRESS: Final = RuleViolation(
    "content.url",
    NO_ADDRESS,
    "a report needs an address to act on; a child in danger without one is a matter for the police",
)
_TOPICS_WITHOUT_ADDRESS: Final = frozenset({"grooming", "sexual_extortion"})
_MAX_ASN: Final = 2**32 - 1


def missing_content(statement: ReportStatement) -> RuleViolation:
    """Answer the violation of a report that comes without content."""
    if _often_without_address(statement):
        return _NO_ADDRESS
    return RuleViolation("content", "required", "a report carries its address in its content")


def check_report_content(statement: ReportStatement, content: ReportContent) -> Iterator[RuleViolation]:
    """Yield every rule that the content of a report breaks."""
    yield from check_texts(content, "content.")
    bad_url = check_url(content.url, "content.url")
    if bad_url is not None:
        no_place = bad_url.rule in {"missing", "not_an_address"} or (
            bad_url.rule in {"unknown_scheme", "no_host"} and _often_without_address(statement)
        )
        yield _NO_ADDRESS if no_place else bad_url
    yield from _optional_url("content.source_page", content.source_page)
    for index, url in enumerate(content.sibling_items):
        yield from _optional_url(f"content.sibling_items[{index}]", url)
    yield from _note(content.note)
    if content.hosting_ip is not None:
        try:
            ipaddress.ip_address(content.hosting_ip)
        except ValueError:
            yield RuleViolation("content.hosting_ip", "not_an_ip", "an IPv4 or IPv6 address")
    if content.hosting_asn is not None and not 0 <= content.hosting_asn <= _MAX_ASN:
        yield RuleViolation("content.hosting_asn", "out_of_range", f"0 to {_MAX_ASN:,}")


def check_action_content(content: ActionContent) -> Iterator[RuleViolation]:
    """Yield every rule that the content of an action breaks."""
    yield from check_texts(content, "content.")
    yield from _note(content.note)
    yield from _optional_url("content.new_url", content.new_url)


def _often_without_address(statement: ReportStatement) -> bool:
    return statement.content_topic in _TOPICS_WITHOUT_ADDRESS or "abuse_in_progress" in statement.urgency


def _note(note: str | None) -> Iterator[RuleViolation]:
    violation = None if note is None else check_persons("content.note", note)
    if violation is not None:
        yield violation


def _optional_url(field: str, url: str | None) -> Iterator[RuleViolation]:
    violation = None if url is None else check_url(url, field)
    if violation is not None:
        yield violation
