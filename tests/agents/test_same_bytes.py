"""All that the exchange writes in a long fixed story, held by one digest: a faster program writes it too."""

import asyncio
from collections import defaultdict
from typing import Final

from long_story import Told

from casework.messages import Delivery, Escalation
from casework.transition_rows import ACTION, NEW_LEG
from casework.transition_table import TABLE
from streams import wire

DIGEST: Final = "54ab0ac73b48abd802b2076d5ffd90de281c8e1d2652826b7d2410cfdda00559"
"""Of all records. A change of a schema, a rule or
an id changes it on purpose: run this test and put in what it says."""


def test_a_long_story_is_written_to_the_byte_as_before() -> None:
    """What 1,380 submissions and some 250 wake-ups cause is the same bytes; all kinds of the table occur."""
    told = Told()
    digest = asyncio.run(told.tell())
    assert set(told.kinds) >= {row for rule in TABLE for row in rule.facts if row not in {ACTION, NEW_LEG}}
    assert digest == DIGEST


def test_no_two_messages_of_a_long_story_share_an_id() -> None:
    """A reader drops what has a known id: deliveries and escalations of a case have ids of their own."""
    told = Told()
    asyncio.run(told.tell())
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    for (topic, _, _), values in told.out.items():
        for framed in values if topic.startswith(("inbox", "feed", "escalations")) else ():
            message = wire.decode(framed)
            if isinstance(message, Delivery):
                found[message.delivery_id].add(framed)
            elif isinstance(message, Escalation) and message.case_id is not None:
                found[message.escalation_id].add(framed)
    assert len(found) > 2_000
    assert {identifier for identifier, several in found.items() if len(several) > 1} == set()
