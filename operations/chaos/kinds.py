"""The kinds of faults: what each does, and how often it comes among the others."""

from typing import Final, Literal

import msgspec

Where = Literal["any", "one", "three"]


class Kind(msgspec.Struct, frozen=True):
    """One kind of fault.

    Attributes:
        name: As the report counts it.
        weight: How often it is dealt within one deck; each kind of a deck comes before any comes again.
        where: Clusters on which it can happen: any, only one broker, or only three.
        seconds: Shortest and longest duration, where it has one.
        text: What it is.
    """

    name: str
    weight: int
    text: str
    where: Where = "any"
    seconds: tuple[float, float] = (0.0, 0.0)


POINTS: Final = "points"
"""The step that starts a worker with named points armed; what strikes there is counted by its own name."""
ZOMBIE_THEN_COLD: Final = "zombie, then compaction and cold load"

KINDS: Final = (
    Kind("worker killed", 4, "SIGKILL, then started again after a moment", seconds=(0.0, 3.0)),
    Kind("worker ended", 3, "SIGTERM, then started again", seconds=(0.0, 1.0)),
    Kind("worker frozen", 1, "SIGSTOP, and SIGCONT before the session is over", seconds=(0.5, 4.0)),
    Kind("zombie", 1, "SIGSTOP, and SIGCONT after others have taken its partitions", seconds=(8.5, 11.0)),
    Kind(
        "zombie between effects and state",
        1,
        "SIGSTOP at a named point in the middle of a batch, and SIGCONT after others took over",
        seconds=(8.5, 10.0),
    ),
    Kind(
        ZOMBIE_THEN_COLD,
        1,
        "SIGSTOP with effects sent and state not yet, others take over, SIGCONT, compaction, all load cold",
        seconds=(8.5, 10.0),
    ),
    Kind("compaction and cold load", 1, "cases.status is compacted, then read by a worker without a store"),
    Kind("join and leave", 2, "one more worker joins, and leaves", seconds=(3.0, 8.0)),
    Kind(
        "partitions taken in the middle of a batch",
        1,
        "batches wait while a worker joins",
        seconds=(3.0, 6.0),
    ),
    Kind(POINTS, 9, "named points armed in one worker"),
    Kind("broker killed", 1, "SIGKILL of a broker, then started again", seconds=(0.0, 3.0)),
    Kind("leaders moved", 2, "another copy leads every partition", where="three"),
    Kind("clock jumps a little", 1, "a worker's clock is off by less than it tolerates", seconds=(2.0, 6.0)),
    Kind("clock jumps far", 1, "a worker's clock is off by more than it tolerates", seconds=(2.0, 4.0)),
    Kind("store corrupted", 1, "bytes of a killed worker's local files are turned"),
    Kind("store truncated", 1, "a file of a killed worker's local files is cut"),
    Kind("older version beside newer", 1, "one worker goes on with another version", seconds=(6.0, 12.0)),
    Kind("message too large", 1, "an inbox refuses what is larger than usual", seconds=(2.0, 4.0)),
)

ARMED: Final = (
    # Text to arm; {n} is how many times the point is reached before.
    "intake.before_send:kill@{n}",
    "casekeeper.before_send:kill@{n}",
    "casekeeper.between_effects:kill@{n}",
    "casekeeper.after_effects:kill@{n}",
    "casekeeper.after_state:kill@{n}",
    "transport.before_handover:kill@{n}",
    "transport.before_commit:kill@{n}",
    "transport.while_revoking:kill@1",
    "state.load:kill@1",
    "publisher.send:kill@{n}",
    "publisher.after_send:kill@{n}",
)
"""Crashes between two exact steps; a worker gets one of them."""

DISTURBING: Final = (
    "intake.before_send:delay=0.7@{n}",
    "casekeeper.before_send:delay=0.7@{n}",
    "casekeeper.between_effects:delay=0.5@{n}",
    "casekeeper.after_effects:delay=0.7@{n}",
    "casekeeper.after_state:delay=0.5@{n}",
    "transport.before_handover:delay=0.5@{n}",
    "transport.before_commit:delay=0.5@{n}",
    "transport.while_revoking:delay=1@1",
    "transport.commit:raise=CommitFailedError@{n}",
    "publisher.send:delay=0.5@{n}",
    "publisher.send:raise=MessageSizeTooLargeError@{n}",
    "publisher.send:raise=NotLeaderForPartitionError@{n}",
    "publisher.send:raise=KafkaTimeoutError@{n}",
    "publisher.after_send:raise=TimeoutError@{n}",
    "state.load:delay=1@1",
    "state.load:raise=KafkaConnectionError@1",
)
"""Delays and errors at exact steps; a worker gets some of them before its crash."""
