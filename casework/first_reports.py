"""The commonest record written out: a report that opens a case at a hotline which is not its sender.

Nearly all reports are such ones. The rules decide them fact by fact and evolve the case each time; here the
same outcome is made in one step, which takes a third of the time. It is a copy of the rules for one row of
the table of transitions, so a test compares the two on reports of every kind. Everything else, and whatever
is not quite plain, is left to the rules.
"""

import hashlib
from collections.abc import Callable
from typing import Final, cast

import msgspec

from casework.causes import readers_in
from casework.content_readers import opening_keys
from casework.copies import seen_of
from casework.countries import canonical_country
from casework.directory import EXCHANGE, Directory
from casework.events import ReportEvent, Source
from casework.ids import derived_id, derived_id_for_url
from casework.kept import Kept
from casework.matters.feeds import would_feed
from casework.messages import Case, CaseContent, Delivery, DeliveryCount, Fact, Origin, Receipt
from casework.notices import ASSIGNMENT
from casework.placing import limits_of, traits_of
from casework.postings import Posting
from casework.routing import route
from casework.sealed_content import opens
from casework.statements import with_stated
from casework.states import ASSIGNED, NONE
from casework.transition_rows import HOTLINE
from casework.transitions import RULES_VERSION, transition

_ROW: Final = transition("report", NONE, HOTLINE)
assert _ROW is not None  # noqa: S101 - the table is in this room
assert _ROW.facts == ("opened", "assigned")  # noqa: S101 - likewise

_NO: Final = False
# By position: the names of so many fields cost more than all else.
_fact = cast("Callable[..., Fact]", Fact)
_case = cast("Callable[..., Case]", Case)
_origin = cast("Callable[..., Origin]", Origin)
_delivery = cast("Callable[..., Delivery]", Delivery)
_receipt = cast("Callable[..., Receipt]", Receipt)


def first_report(event: ReportEvent, directory: Directory, source: Source) -> Kept | None:
    """Answer what a report does to a url key without a case; None where the rules must be asked.

    Args:
        event: The report.
        directory: The version stamped on it.
        source: Where it stands.

    Raises:
        UnknownCountryError: A country of the report is none; the rules raise it too.
    """
    admitted, statement, submission = event.admitted, event.statement, event.submission
    event_id, sender, key, now = admitted.event_id, admitted.sender, admitted.url_key, admitted.admitted_at
    if (
        submission.credentials is not None
        or statement.urgency
        or statement.event_id != event_id
        or admitted.submission is None
    ):
        return None
    way = route(directory, statement.hosting_country, key, origin=sender, traits=traits_of(statement))
    hotline = way.assigned_hotline
    if hotline is None or hotline == sender:
        return None
    if directory.subscribers and would_feed(directory, way.hosting_country, statement.classification):
        return None
    host, country, topic = way.hosting_country, way.assigned_country, statement.content_topic
    environment, submitted, version = admitted.environment, admitted.submitted_at, directory.version
    digest_of_content, readers = statement.content_digest, readers_in(statement, submission, directory)
    if not opens(readers, opening_keys(directory, (hotline,), admitted.submitted_at)):
        return None
    limits = limits_of(directory, country, hotline)
    classification = law = classified_by = None
    if statement.classification not in {None, "unassessed"}:
        classification, classified_by = statement.classification, sender
        law = canonical_country(statement.law_country) if statement.law_country else None
    observed = None if statement.observed_at is None else min(statement.observed_at, now)
    received, occurred = min(statement.received_at, now), min(statement.occurred_at, now)
    digest = hashlib.sha256(submission.statement).digest()
    position = f"{admitted.source_topic}/{admitted.source_partition}/{admitted.source_offset}"
    case_id = derived_id(event_id, f"case.{now}", key.hex())
    assigned_id = derived_id(event_id, "fact.assigned.2", case_id)
    # fmt: off
    opened = _fact(
        case_id, key, 1, "opened", 1, 1, derived_id(event_id, "fact.opened.1", case_id), event_id,
        environment, sender, occurred, now, submitted, (), admitted.clock_skew, version, RULES_VERSION,
        host, country, hotline, sender, event_id,
        None, None, None, None, None, statement.reference, None, observed,  # outcome .. observed_at
        classification, law, received, topic,
        None, None, None, None, None,  # recipient .. deadlines
        digest, position, source.topic, source.partition, source.offset,
        submission.statement, submission.signature, submission.key_id, None, None,
        digest_of_content, readers, None, (), None, None, None,  # details .. attempt
        statement.site_type, statement.content_type, statement.hosting_status,
    )
    assigned = _fact(
        case_id, key, 2, "assigned", 1, 1, assigned_id, event_id, environment,
        EXCHANGE, now, now, submitted, (), _NO, version, RULES_VERSION,
        host, country, hotline, sender, event_id,
        None, None, None, None, None, None, None, None,  # outcome .. observed_at
        None, None, None, None,  # classification .. content_topic
        None, None, None, None, limits,
        None, None, source.topic, source.partition, source.offset,
        None, None, None, None, None, None, None,  # statement .. readers
    )
    case = _case(
        key, case_id, source.offset, environment, 2, ASSIGNED, 1, 1,
        host, country, hotline, received, now, now, now,
        None, None, None, None, None, None,  # acknowledged_at .. outcome
        observed, classification, classified_by, law, None, None, topic,
        (), (), limits,
        (_origin(sender, event_id, now, event_id, now, 1, digest_of_content),),
        (), (), (),  # former, liaisons, escalated
        (DeliveryCount(recipient=hotline, number=1),), None,
        (seen_of(event_id, digest, position, sender),), (), version, RULES_VERSION, None, readers, None,
        statement.site_type, statement.content_type, statement.hosting_status,
    )
    delivery = _delivery(
        case_id, key, hotline, 1, ASSIGNMENT, derived_id(assigned_id, "delivery.assignment.1", hotline),
        environment, _NO, 1, 1, ASSIGNED, _NO, "assigned", 2, EXCHANGE, now, now, submitted, received, (),
        host, country, hotline, sender, event_id,
        None, None, None, None, None, None, None, None,  # outcome .. observed_at
        classification, law,
        submission.statement, submission.signature, submission.key_id, submission.content,
        None, None, None, (), statement.hosting_status,  # details .. hosting_status
    )
    receipt = _receipt(
        event_id, sender, "accepted", derived_id_for_url(event_id, "receipt", sender, key), environment,
        None, None, None, (), case_id, key, 1, 1, 1, ASSIGNED, None, host, country, hotline, None,
        now, submitted, version,
    )
    # fmt: on
    if classification is not None:
        case = msgspec.structs.replace(case, stated=with_stated((), opened))
    content = CaseContent(
        report_event_id=event_id,
        case_id=case_id,
        url_key=key,
        sender=sender,
        stored_at=now,
        submission=admitted.submission,
        source_offset=source.offset,
    )
    postings = Posting(hotline, "inbox", _NO, delivery), Posting(sender, "inbox", _NO, receipt)
    return Kept(case, (opened, assigned), postings, (content,))
