from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.messages import Delivery, Receipt
from connectors.inbox_messages import Body, InboxMessage
from connectors.opening import Opener
from connectors.ready_queue import ReadyQueue

TOPICS = ("urgent", "normal")
NO_OPENER = Opener(None, None, NotImplemented)


def message(body: Body, topic: str) -> InboxMessage:
    """Return a message of a topic."""
    return InboxMessage(body, (topic, 0, 0), 0, lambda _message: None, NO_OPENER)


def drained(queue: ReadyQueue) -> list[Body]:
    """Return all bodies in the order in which the queue gives them."""
    bodies = []
    while len(queue):
        taken = queue.get()
        assert taken is not None
        bodies.append(taken.body)
    return bodies


def test_urgent_comes_first_and_brings_what_its_case_had_before(
    delivery: Callable[..., Delivery], receipt: Callable[..., Receipt]
) -> None:
    """An urgent message overtakes other cases but not the earlier deliveries of its own."""
    queue = ReadyQueue(TOPICS)
    other, first, second = delivery(1, case="a"), delivery(1, case="b"), delivery(2, case="b")
    queue.put([message(other, "normal"), message(first, "normal"), message(receipt("e"), "normal")])
    queue.put([message(second, "urgent")])
    assert drained(queue) == [first, second, other, receipt("e")]
    assert queue.get() is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(st.just(None), st.tuples(st.sampled_from("abc"), st.sampled_from(TOPICS))), max_size=40
    )
)
def test_no_mixture_of_urgency_swaps_a_case(
    delivery: Callable[..., Delivery], steps: list[tuple[str, str] | None]
) -> None:
    """Whatever is put and taken in between, each case comes in the order of its numbers."""
    queue, counts, given_out = ReadyQueue(TOPICS), dict.fromkeys("abc", 0), []
    for step in steps:
        if step is None:
            taken = queue.get()
            given_out += [] if taken is None else [taken.body]
        else:
            case, topic = step
            counts[case] += 1
            queue.put([message(delivery(counts[case], case=case), topic)])
    given_out += drained(queue)
    for case, count in counts.items():
        numbers = [b.number for b in given_out if isinstance(b, Delivery) and b.case_id == case]
        assert numbers == list(range(1, count + 1))
