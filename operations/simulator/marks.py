"""Marks in what simulated members seal, so that a search shows whether anything of it can be read."""

import msgspec

from connectors.drafts import ActionDraft, ReportDraft


def marked_report(draft: ReportDraft, mark: str) -> ReportDraft:
    """Answer a report whose addresses and note carry a mark; equal addresses stay equal."""
    return msgspec.structs.replace(
        draft,
        url=marked_address(draft.url, mark),
        referrer=None if draft.referrer is None else marked_address(draft.referrer, mark),
        source_page=None if draft.source_page is None else marked_address(draft.source_page, mark),
        sibling_items=tuple(marked_address(item, mark) for item in draft.sibling_items),
        note=f"{mark}: seen from the street",
    )


def marked_action(draft: ActionDraft, mark: str) -> ActionDraft:
    """Answer an action whose note carries a mark."""
    return msgspec.structs.replace(draft, note=f"{mark}: done as agreed")


def marked_address(address: str, mark: str) -> str:
    """Answer an address under a host name that begins with a mark."""
    return address.replace("://", f"://{mark}.", 1)
