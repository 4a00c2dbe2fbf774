from types import SimpleNamespace
from typing import Any

from agents.intake import GROUP, URGENT_GROUP
from operations.command_line.verify import _scope
from streams.clock import SystemClock
from streams.settings import Settings
from streams.topics import Topics


class Committed:
    """Answers for each group and topic where it was asked for."""

    def committed(self, group: str, topic: str) -> Any:  # noqa: ANN401 - stands for offsets by partition
        """Answer the question itself."""
        return group, topic


def test_each_topic_of_submissions_is_asked_of_the_group_that_reads_it() -> None:
    """Urgent reports have a group of their own; asked of another, lost ones would count as not read yet."""
    settings = Settings(kafka_security="none", topic_prefix="t.")
    topics = Topics("t.")
    session: Any = SimpleNamespace(settings=settings, topics=topics, clock=SystemClock())
    reader: Any = Committed()
    submitted: Any = _scope(session, reader, (), None).submitted
    assert submitted[topics.reports_urgent] == (f"t.{URGENT_GROUP}", topics.reports_urgent)
    for name in (topics.reports_submitted, topics.actions_submitted):
        assert submitted[name] == (f"t.{GROUP}", name)
    assert set(submitted) == set(topics.submissions)
