from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.casework.conftest import Story


@pytest.mark.parametrize(
    ("observation", "is_online"),
    [("online", True), ("offline", False), ("moved", True), ("geo_blocked", None)],
)
def test_each_observation_is_told_with_where_it_was_made(
    opened: "Story", observation: str, is_online: bool | None
) -> None:
    """What was seen, when and from where reaches the responsible hotline, and old clients understand it."""
    opened.act(
        "gb-iwf", "observed", observation=observation, observed_from="UK", observed_at=opened.now,
        new_hosting_country="DE" if observation == "moved" else None,
    )  # fmt: skip
    told = next(told for told in opened.deliveries("nl-offlimits") if told.fact == "observed")
    assert (told.details.observation, told.details.observed_from) == (observation, "GB")
    assert (told.is_online, told.observed_at) == (is_online, opened.case.last_observed_at or told.observed_at)


def test_what_is_seen_offline_is_not_seen_online(opened: "Story") -> None:
    """Only what was online is the last time the content was seen online."""
    opened.act("gb-iwf", "observed", observation="offline", observed_at=opened.now)
    assert opened.case.last_observed_at is None


def test_old_clients_say_is_online(opened: "Story") -> None:
    """An observation in the words of an earlier version counts as before."""
    opened.act("gb-iwf", "observed", is_online=True, observed_at=opened.now)
    assert opened.case.last_observed_at == opened.facts[-1].observed_at


@pytest.mark.parametrize("outcome", ["removed", "unavailable", "not_illegal"])
def test_what_is_back_opens_a_new_round(opened: "Story", outcome: str) -> None:
    """Content that is back gets a new round with the case's own report, whatever ended the last one."""
    opened.act("nl-offlimits", outcome, reason_code="other")
    report = opened.case.origins[0].last_event_id
    opened.later(opened.hour).act("gb-iwf", "reappeared")
    assert opened.kinds()[-3:] == ["reappeared", "reopened", "assigned"]
    assert (opened.case.round, opened.case.leg, opened.case.state) == (2, 1, "assigned")
    assert opened.case.origins[0].count == 1
    told = opened.deliveries("nl-offlimits")[-1]
    assert (told.kind, told.report_event_id, told.origin) == ("assignment", report, "gb-iwf")
    assert opened.postings[-2].content_of == report


def test_the_responsible_hotline_itself_may_see_it_again(opened: "Story") -> None:
    """The hotline that ended the case is assigned again when it says that the content is back."""
    opened.act("nl-offlimits", "removed")
    opened.later(opened.hour).act("nl-offlimits", "reappeared")
    assert opened.case.round == 2
    assert [told.fact for told in opened.deliveries("gb-iwf")][-2:] == ["reappeared", "reopened"]
    assert opened.deliveries("nl-offlimits")[-1].kind == "assignment"


def test_it_may_be_back_in_another_country(opened: "Story") -> None:
    """The new round begins where the content is hosted now."""
    opened.act("nl-offlimits", "removed")
    opened.later(opened.hour).act("gb-iwf", "reappeared", new_hosting_country="HK")
    assert opened.kinds()[-4:-1] == ["reappeared", "reopened", "orphaned"]
    assert (opened.case.hosting_country, opened.case.state) == ("HK", "orphaned")


def test_on_an_open_case_it_is_an_observation(opened: "Story") -> None:
    """Nothing begins anew while the case is open."""
    opened.act("gb-iwf", "reappeared")
    assert opened.case.round == 1
    assert opened.case.last_observed_at == opened.facts[-1].occurred_at


def test_what_was_seen_before_the_closing_is_answered_by_it(opened: "Story") -> None:
    """An older look at the content opens nothing."""
    seen = opened.now
    opened.act("nl-offlimits", "removed")
    opened.act("gb-iwf", "reappeared", observed_at=seen)
    assert (opened.receipts()[-1].rule, opened.case.round) == ("seen_before_closing", 1)


def test_without_a_report_there_is_nothing_to_open(opened: "Story") -> None:
    """A case whose report was taken back waits for a new report."""
    opened.act("gb-iwf", "withdraw")
    opened.later(opened.hour).act("nl-offlimits", "reappeared")
    assert opened.receipts()[-1].rule == "no_report"


def test_nobody_is_given_a_report_that_was_erased(opened: "Story") -> None:
    """A round begun with contents that are gone could be worked by nobody: a new report is asked for."""
    opened.act("nl-offlimits", "removed")
    opened.later(400 * 24 * opened.hour).wake()
    opened.act("gb-iwf", "reappeared", observed_at=opened.now)
    assert (opened.receipts()[-1].rule, opened.case.state) == ("no_report", "closed")
    opened.report(observed_at=opened.now)
    assert opened.case.state == "assigned"
