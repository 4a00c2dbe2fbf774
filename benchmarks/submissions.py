"""Reports to measure with: distinct addresses, one origin, hosted in countries with one hotline each."""

import os
from collections.abc import Iterator

from casework.directory import Directory
from casework.ids import new_event_id
from casework.submissions import Admission
from connectors.drafts import ReportDraft
from connectors.preparing import Prepared, Sender, build_report
from streams.key_rings import KeyRing
from streams.settings import Settings

ORIGIN = "ie-hotline"
HOSTING_COUNTRIES = ("NL", "US", "BG", "RO", "LT", "PL", "CZ", "LV", "FR", "SE", "FI", "GB")


def prepared_reports(  # noqa: PLR0913 - what a sender's reports are made of
    count: int,
    settings: Settings,
    directory: Directory,
    now_ms: int,
    keys: KeyRing | None = None,
    *,
    origin: str = ORIGIN,
) -> Iterator[Prepared]:
    """Make `count` submissions as a member's client makes them.

    Args:
        count: How many.
        settings: Settings of the exchange.
        directory: Its directory.
        now_ms: Milliseconds since the epoch.
        keys: The origin's ring, with which they are signed and sealed.
        origin: Member that sends them.
    """
    sender = Sender(
        member=origin,
        environment=settings.environment,
        network_key=settings.network_key,
        new_id=lambda at: new_event_id(at, os.urandom(10)),
        keys=keys,
    )
    admission = Admission(
        directory=directory,
        environment=settings.environment,
        admitted_at=now_ms,
        submitted_at=now_ms,
        size=0,
    )
    for number in range(count):
        draft = ReportDraft(
            url=f"https://host-{number % 97}.example/page/{number}",
            hosting_country=HOSTING_COUNTRIES[number % len(HOSTING_COUNTRIES)],
            received_at=now_ms - 60_000,
            reference=f"bench-{number}",
            content_type="media",
            site_type="image_host",
            classification="baseline",
            assessed_at=now_ms - 30_000,
            law_country="IE",
        )
        yield build_report(draft, sender, admission)
