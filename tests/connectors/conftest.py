"""A small directory, messages and the exchange's side for the tests of the member's client."""

from collections.abc import AsyncIterator, Callable

import pytest
from exchange_by_hand import Exchange

from casework.directory import CountryRule, Directory, HotlineShare, Member, PseudoCountry
from casework.messages import Delivery, Receipt
from operations.directory.equipping import Equipment, equip
from operations.embedded_kafka import EmbeddedKafka

NOW_MS = 1_700_000_000_000


@pytest.fixture
def directory() -> Directory:
    """Return a directory of two hotlines, a police liaison and three slots; NL owns slot 1."""
    return Directory(
        version=3,
        environment="test",
        published_at=NOW_MS,
        valid_from=0,
        members=(
            Member("be-childfocus", "hotline", "Belgium", ("BE",), status="active"),
            Member("gone", "hotline", "Gone", status="left"),
            Member("nl-offlimits", "hotline", "Netherlands", ("NL",), mandates=("orphans",), status="active"),
            Member("nl-police", "law_enforcement", "Police", ("NL",), status="active", liaison="nl"),
        ),
        countries=(
            CountryRule("BE", "Belgium", hotlines=(HotlineShare("be-childfocus"),), police_contact="101"),
            CountryRule("NL", "Netherlands", hotlines=(HotlineShare("nl-offlimits"),), police_contact="112"),
        ),
        pseudo_countries=(PseudoCountry("XT", "Tor", "tor", ("nl",)),),
        slot_count=3,
        slots={"NL": (1,)},
        rest_slots=(0, 2),
        aliases={"UK": "GB", "EL": "GR"},
    )


@pytest.fixture
def equipment(directory: Directory) -> Equipment:
    """Return the directory with keys of all active members and of the exchange, protection required."""
    return equip(directory, at=0)


@pytest.fixture
def delivery() -> Callable[..., Delivery]:
    """Return a function that makes a delivery of a case with a number."""

    def make(number: int, *, case: str = "case-1", is_urgent: bool = False, **changes: object) -> Delivery:
        fields: dict[str, object] = {
            "case_id": case, "url_key": b"\x01" + bytes(32), "recipient": "nl-offlimits", "number": number,
            "kind": "assignment", "delivery_id": f"{case}/{number}", "environment": "test",
            "is_urgent": is_urgent, "round": 1, "leg": 1, "state": "assigned", "fact": "opened",
            "fact_number": number, "by": "be-childfocus", "occurred_at": 1, "admitted_at": 2,
            "submitted_at": 3, "hosting_country": "NL",
        }  # fmt: skip
        return Delivery(**(fields | changes))  # type: ignore[arg-type]  # fields by name

    return make


@pytest.fixture
def receipt() -> Callable[..., Receipt]:
    """Return a function that makes the receipt of an event id."""

    def make(event_id: str, outcome: str = "accepted", **changes: object) -> Receipt:
        fields: dict[str, object] = {
            "event_id": event_id, "recipient": "nl-offlimits", "outcome": outcome,
            "receipt_id": f"receipt of {event_id}", "environment": "test", "admitted_at": 2,
            "submitted_at": 3,
        }  # fmt: skip
        return Receipt(**(fields | changes))  # type: ignore[arg-type]  # fields by name

    return make


@pytest.fixture
async def exchange(kafka: EmbeddedKafka, topic_prefix: str, directory: Directory) -> AsyncIterator[Exchange]:
    """Return topics of this test alone."""
    made = Exchange(kafka.bootstrap, topic_prefix, directory)
    await made.open()
    yield made
    await made.producer.stop()
