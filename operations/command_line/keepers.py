"""Who has a case: its hotline, else the desk where it waits, and the police that were told."""

from collections.abc import Iterable

from casework.directory import Directory
from casework.messages import Case, Receipt
from casework.routing import route

UNKNOWN = "no hotline"


def of_case(case: Case) -> str:
    """Answer who has a case, by its own state."""
    return case.assigned_hotline or _without_hotline(case.desk, case.liaisons)


def of_receipt(receipt: Receipt, directory: Directory | None) -> str:
    """Answer who has the case of a receipt; whom a receipt does not name is found as intake finds them.

    Args:
        receipt: The receipt.
        directory: The directory in use; None answers only that there is no hotline.
    """
    if receipt.assigned_hotline is not None:
        return receipt.assigned_hotline
    if directory is None or receipt.hosting_country is None or receipt.url_key is None:
        return UNKNOWN
    way = route(directory, receipt.hosting_country, receipt.url_key, origin=receipt.recipient)
    return _without_hotline(way.desk, way.liaisons) if way.escalates else UNKNOWN


def place_of(receipt: Receipt, keeper: str) -> str:
    """Answer who has the case, which, and how it ended where that is the answer to the report."""
    if not receipt.case_id:
        return ""
    ended = f", closed: {receipt.outcome_of_case}" if receipt.outcome_of_case else ""
    return f" -> {keeper}; case {receipt.case_id}{ended}"


def _without_hotline(desk: str | None, liaisons: Iterable[str]) -> str:
    told = ", ".join(liaisons)
    if desk is not None:
        return f"orphan desk; police: {told}" if told else "orphan desk"
    return f"police: {told}; no desk" if told else UNKNOWN
