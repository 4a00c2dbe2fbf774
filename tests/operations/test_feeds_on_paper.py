"""Feeds are made again, counted and verified like inboxes."""

import msgspec
import pytest
from paper_exchange import PaperExchange, network

from casework.messages import Delivery
from operations.accounting import account
from operations.books import read_books
from operations.inbox_rebuild import rebuild
from operations.reconciliation import Window, reconcile
from operations.verification.run import Scope, verify
from streams import wire

URL = "https://material.example.test/fed"
FEED = "feed.nl-police"


@pytest.fixture
def paper() -> PaperExchange:
    """Return an exchange in which police of NL subscribed, with a case from its report to its end."""
    fields = {"feed": "all_hosted", "feed_informs_police": True}
    members = tuple(
        msgspec.structs.replace(m, **fields) if m.id == "nl-police" else m for m in network().members
    )
    exchange = PaperExchange(directory=msgspec.structs.replace(network(), members=members))
    exchange.report(URL, urgency=("possible_new_victim",))
    exchange.act(URL, "nl-police", "acknowledged")
    exchange.act(URL, "nl-police", "acknowledged")
    exchange.act(URL, "nl-offlimits", "removed")
    return exchange


def items(paper: PaperExchange) -> list[bytes]:
    """Return the values of the liaison's feed, in their order."""
    return [record.value or b"" for record in paper.records if record.topic == FEED]


def test_a_feed_made_again_is_the_feed(paper: PaperExchange) -> None:
    """Its items come out of the facts byte for byte, into the feed and no inbox."""
    made = list(rebuild(paper.history().log, paper.topics, FEED, 0))
    assert [each.framed for each in made] == items(paper)
    assert {each.topic for each in made} == {FEED}
    numbers = [wire.decode_as(Delivery, value).number for value in items(paper)]
    assert numbers == [1, 2]


def test_a_feed_is_accounted_for_and_verified(paper: PaperExchange) -> None:
    """Nothing is missing while the feed is there; each tool names the item that is taken out of it."""
    lost = next(index for index, record in enumerate(paper.records) if record.topic == FEED)
    for records, is_whole in (
        (paper.records, True),
        (paper.records[:lost] + paper.records[lost + 1 :], False),
    ):
        log = paper.history(list(records)).log
        assert account(read_books(log, paper.topics)).is_whole == is_whole
        window = Window(0, 2**62)
        assert (reconcile(log, paper.topics, window).items == ()) == is_whole
        assert (verify(log, Scope(paper.topics, "test", paper.clock)).findings == ()) == is_whole
