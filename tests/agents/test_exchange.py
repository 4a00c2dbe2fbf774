import asyncio
from typing import Any

import pytest

from agents.dead_letters import from_headers
from casework.messages import Escalation, Receipt, ReportContent, Submission
from streams import wire

pytestmark = pytest.mark.kafka
URL = "https://material.example.test/a/1"


async def test_a_report_crosses_the_exchange_and_its_removal_is_measured(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """A report reaches the responsible hotline with content, each step reaches the origin, latencies show."""
    await exchange.start()
    event_id = await exchange.send(exchange.report(URL))
    receipt = await exchange.receipt("gb-iwf", event_id)
    assert (receipt.outcome, receipt.assigned_hotline) == ("accepted", "nl-offlimits")
    (assignment,) = await exchange.deliveries("nl-offlimits", 1)
    assert assignment.kind == "assignment"
    assert assignment.content is not None
    assert wire.decode_as(ReportContent, assignment.content).url == URL

    for step in ("acknowledged", "police_informed", "provider_informed", "removed"):
        action = exchange.action(URL, "nl-offlimits", step, case_id=receipt.case_id, recipient_role="host")
        answer = await exchange.receipt("nl-offlimits", await exchange.send(action))
        assert (answer.outcome, answer.breaches) == ("accepted", ()), step
    updates = await exchange.deliveries("gb-iwf", 4)
    assert [update.number for update in updates] == [1, 2, 3, 4]
    assert updates[-1].state == "closed"

    steps = ("acknowledged", "police_informed", "provider_informed", "removed")
    human = "hotline_exchange_human_latency_seconds_count"
    shown = await exchange.shows(
        "casekeeper",
        {'hotline_exchange_machine_latency_seconds_count{country="NL"}': 1}
        | {
            f'{human}{{hotline="nl-offlimits",scope="{scope}",step="{step}"}}': 1
            for step in steps
            for scope in ("leg", "case")
        },
    )
    assert "hotline_exchange_open_cases{" not in shown
    await exchange.shows("intake", {'hotline_exchange_submissions_total{country="NL",kind="report"}': 1})


async def test_bad_input_is_answered_by_field_and_rule_and_the_next_record_goes_on(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Each bad submission of a known sender gets a refusal; a sound one behind them all is accepted."""
    await exchange.start()
    report, action = exchange.report, exchange.action
    now = exchange.clock.now_ms()
    bad = [
        ("environment", "wrong_environment", report(URL, environment="demo")),
        ("hosting_country", "unknown_country", report(URL, country="XX")),
        ("content_type", "unknown_code", report(URL, content_type="film")),
        ("reference", "too_long", report(URL, reference="r" * 1000)),
        ("complaint_id", "control_character", report(URL, complaint_id="a\x00b")),
        ("content.note", "too_long", report(URL, content={"note": "n" * (1 << 20)})),
        ("content.url", "no_address", report("call me", content_topic="grooming")),
        ("content.url", "malformed", report("http://exa mple.test/")),
        ("occurred_at", "too_far_ahead", report(URL, occurred_at=now + 15 * 3_600_000)),
        ("action", "unknown_code", action(URL, "gb-iwf", "erased", case_id=None, report_event_id=None)),
        (
            "content.note",
            "mail_address",
            action(
                URL, "gb-iwf", "note", report_event_id=exchange.new_id(), content={"note": "a@mail.example"}
            ),
        ),
    ]
    sent = [(await exchange.send(submission), field, rule) for field, rule, submission in bad]
    cut = report(URL)
    cut = type(cut)(statement=cut.statement[:-3], content=cut.content)
    prefix = wire.prefix_of(cut.statement)
    await exchange.send_raw(exchange.topics.reports_submitted, 0, prefix.url_key, wire.encode(cut))
    sent.append((prefix.event_id, "statement", "undecodable"))
    sound = await exchange.send(report(URL))
    assert (await exchange.receipt("gb-iwf", sound)).outcome == "accepted"
    for event_id, field, rule in sent:
        receipt = await exchange.receipt("gb-iwf", event_id)
        assert (receipt.outcome, receipt.field, receipt.rule) == ("refused", field, rule)
        assert (receipt.police_contact is not None) == (rule == "no_address")


async def test_what_nobody_can_be_asked_about_becomes_a_dead_letter_unchanged(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Unreadable and unattributable records are kept byte for byte, with where they came from and why."""
    await exchange.start()
    stranger = exchange.report(URL, sender="xx-nobody")
    unknown_schema = b"\x00\xff\xff\xff\xff" + bytes(20)
    cases = {
        b"no kafka frame": "not_framed",
        b"as large as the topic takes".ljust((2 << 20) - 500): "not_framed",
        unknown_schema: "unknown_schema_id",
        wire.encode(Submission(statement=b"?", content=None)): "not_framed",
        wire.encode(stranger): "unknown_member",
    }
    for value in cases:
        await exchange.send_raw(exchange.topics.reports_submitted, 1, b"any key", value)
    await exchange.send_raw(exchange.topics.actions_submitted, 0, b"any key", None)
    found = await exchange.until(exchange.topics.dead_letters, lambda all_: len(all_) >= len(cases) + 1)
    letters = {record.value: (record, from_headers(record.headers)) for record in found}
    for value, rule in cases.items():
        record, provenance = letters[value]
        assert (record.key, provenance.rule) == (b"any key", rule)
        assert (provenance.topic, provenance.partition) == (exchange.topics.reports_submitted, 1)
    assert letters[None][1].rule == "empty"
    name = "hotline_exchange_dead_letters_total"
    expected = {f'{name}{{error_class="unreadable"}}': 5, f'{name}{{error_class="unattributable"}}': 1}
    await exchange.shows("intake", expected)


async def test_actions_that_break_rules_of_the_case_are_answered(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """Twice, out of order, by a stranger to the leg, an id with other bytes, on a case that never comes."""
    await exchange.start()
    lost = await exchange.send(
        exchange.action(URL + "/none", "de-eco", "removed", report_event_id=exchange.new_id())
    )
    receipt = await exchange.receipt("gb-iwf", await exchange.send(exchange.report(URL)))
    case_id = receipt.case_id

    async def answer(submission: Any) -> Any:  # noqa: ANN401 - conftest
        statement = wire.statement_of(submission)
        await exchange.send(submission)
        return await exchange.receipt(statement.sender, statement.event_id)

    foreign = await answer(exchange.action(URL, "gb-iwf", "removed", case_id=case_id))
    assert (foreign.outcome, foreign.breaches) == ("accepted", ("not_responsible",))
    removed = exchange.action(URL, "nl-offlimits", "removed", case_id=case_id)
    assert (await answer(removed)).state == "closed"
    late = await answer(exchange.action(URL, "nl-offlimits", "police_informed", case_id=case_id))
    assert (late.outcome, late.breaches) == ("accepted", ("out_of_order",))
    event_id = wire.statement_of(removed).event_id
    await exchange.send(removed)
    other = {"case_id": case_id, "event_id": event_id, "priority": "high"}
    await exchange.send(exchange.action(URL, "nl-offlimits", "note", **other))
    found = await exchange.messages(
        exchange.topics.inbox("nl-offlimits"),
        lambda all_: sum(getattr(message, "event_id", "") == event_id for message in all_) >= 3,
    )
    answers = {(m.outcome, m.rule) for m in found if isinstance(m, Receipt) and m.event_id == event_id}
    assert answers == {("accepted", None), ("duplicate", "duplicate"), ("refused", "id_reused")}

    exchange.clock.ahead_ms = 3_600_001
    refused = await exchange.receipt("de-eco", lost)
    assert (refused.outcome, refused.rule) == ("refused", "unknown_case")


async def test_urgent_codes_reach_the_police_at_admission(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """The escalation comes once, with statement and content, and the delivery takes the urgent inbox."""
    await exchange.start()
    event_id = await exchange.send(exchange.report(URL, urgency=("abuse_in_progress",)))
    await exchange.receipt("gb-iwf", event_id)
    (delivery,) = await exchange.deliveries("nl-offlimits", 1, urgent=True)
    assert delivery.is_urgent
    (escalation,) = await exchange.messages(exchange.topics.escalations("nl"), bool)
    assert isinstance(escalation, Escalation)
    assert (escalation.event_id, escalation.reason_code) == (event_id, "abuse_in_progress")
    assert escalation.content is not None


async def test_a_hotline_that_leaves_has_its_open_cases_reassigned(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """A new directory version moves open cases of a hotline that left, without anybody asking."""
    await exchange.start()
    event_id = await exchange.send(exchange.report(URL))
    await exchange.receipt("gb-iwf", event_id)
    await exchange.publish(exchange.small_directory(2, nl_offlimits="left"))
    (update,) = await exchange.deliveries("gb-iwf", 1)
    assert (update.fact, update.assigned_hotline) == ("orphaned", None)


async def test_an_inbox_that_is_missing_stops_nobody_else(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """A member without topics: its messages become undeliverable dead letters; other members are served."""
    await exchange.publish(exchange.small_directory(2, add="se-ecpat"))
    await exchange.start()
    await exchange.send(exchange.report(URL, sender="se-ecpat"))
    event_id = await exchange.send(exchange.report(URL + "/2"))
    assert (await exchange.receipt("gb-iwf", event_id)).outcome == "accepted"
    await exchange.deliveries("nl-offlimits", 2)
    (letter,) = await exchange.until(exchange.topics.dead_letters, bool)
    provenance = from_headers(letter.headers)
    assert (provenance.error_class, provenance.rule) == ("undeliverable", "unknown_topic")
    assert isinstance(wire.decode(letter.value), Receipt)


async def test_a_worker_killed_under_load_loses_nothing(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """SIGKILL twice while members send: every submission has one receipt and one delivery."""
    sent: list[str] = []

    async def load() -> None:
        for number in range(600):
            sent.append(await exchange.send(exchange.report(f"{URL}/{number}")))
            await asyncio.sleep(0.02)

    loading = asyncio.create_task(load())
    for receipts_before_kill in (100, 300):
        worker = exchange.spawn()
        try:
            await exchange.until(
                exchange.topics.inbox("gb-iwf"), lambda all_, n=receipts_before_kill: len(all_) >= n
            )
        finally:
            worker.kill()
            worker.wait()
    worker = exchange.spawn()
    try:
        await loading
        receipts = await exchange.messages(
            exchange.topics.inbox("gb-iwf"), lambda all_: {m.event_id for m in all_} >= set(sent)
        )
        deliveries = await exchange.messages(
            exchange.topics.inbox("nl-offlimits"), lambda all_: {m.report_event_id for m in all_} >= set(sent)
        )
        worker.terminate()
        assert await asyncio.to_thread(worker.wait) == 0
    finally:
        worker.kill()
    assert len({m.receipt_id for m in receipts}) == len(sent) == 600
    assert len({m.delivery_id for m in deliveries}) == len(sent)
    assert {m.number for m in deliveries} == {1}
    assert len({m.report_event_id for m in deliveries}) == len(sent)
