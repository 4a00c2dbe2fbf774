"""Lean fetches: the same bytes as aiokafka's, and the same answers but for partitions without news."""

from __future__ import annotations

from io import BytesIO

from aiokafka.protocol.fetch import FetchRequest, FetchResponse_v11

from streams.fetch_protocol import FetchedPartitions, LeanFetchRequest

TOPICS = [("reports", [(0, 17, 1 << 20), (86, 2**40, 5)]), ("actions", [(3, 0, 1 << 20)])]
NOTHING = (-1, b"")
ANSWER = [
    (
        "reports",
        [
            (0, 0, 18, 18, 0, [], -1, b"records"),
            (1, 0, 7, 7, 0, [], *NOTHING),
            (2, 1, -1, -1, -1, [], *NOTHING),
            (3, 0, 9, 8, 1, [(4, 5), (6, 7)], -1, b"more"),
            (4, 0, 9, 9, 1, [], 2, b""),
        ],
    ),
    ("actions", [(5, 0, 1, 1, 0, [], *NOTHING)]),
]


def test_a_request_is_byte_for_byte_the_one_of_aiokafka() -> None:
    """Brokers cannot tell them apart, in the version that both choose and in an older one."""
    arguments = (500, 1, 50 << 20, 0, TOPICS)
    for versions in ({1: (4, 18)}, {1: (4, 11)}, {1: (0, 5)}):
        lean = LeanFetchRequest(*arguments, rack_id="a").prepare(versions)
        theirs = FetchRequest(*arguments, rack_id="a").prepare(versions)
        assert (lean.API_VERSION, lean.encode()) == (theirs.API_VERSION, theirs.encode())


def test_an_answer_is_read_as_aiokafka_reads_it_without_partitions_that_say_nothing() -> None:
    """Records, errors, aborted transactions and preferred replicas arrive; idle partitions are left out."""
    raw = FetchResponse_v11(7, 0, 0, ANSWER).encode()
    theirs = FetchResponse_v11.decode(BytesIO(raw))
    found = FetchedPartitions.decode(BytesIO(raw))
    wanted = [(topic, [p for p in partitions if p[0] not in (1, 5)]) for topic, partitions in theirs.topics]
    assert found.topics == wanted
    assert [len(partitions) for _, partitions in found.topics] == [4, 0]
