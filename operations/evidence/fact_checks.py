"""Whether facts fit together and say what the signed statements in them say."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from casework.claimed_times import clamped
from casework.countries import canonical_country
from casework.directory import EXCHANGE
from casework.ids import derived_id
from casework.messages import ActionStatement, Fact, ReportStatement
from casework.protection import REWRAP
from casework.transitions import ACTIONS
from operations.evidence.derived import Evidence
from operations.evidence.parts import FACTS, Kept, Manifest
from operations.evidence.statements import Said
from operations.evidence.verdicts import Findings

_OF_REPORTS: Final = frozenset({"opened", "reopened", "linked"})
_SET_ASIDE: Final = frozenset({"awaited", "refused", "not_applicable"})
"""Facts about an action that did not happen in the case; they name it in `action`."""
_SPOKEN: Final = _OF_REPORTS | _SET_ASIDE | frozenset(ACTIONS) | {"rewrapped"}
"""Facts that members make; no rule of the exchange does."""


def check_facts(manifest: Manifest, records: Sequence[Kept], evidence: Evidence, findings: Findings) -> None:
    """Check numbers, ids and places of the facts, and each against the statement that caused it."""
    facts = evidence.facts
    if evidence.source == "inbox":
        findings.require(not facts, FACTS, "unexpected", "a bundle of an inbox has no facts")
        return
    before = len(findings.failures)
    findings.require(facts, FACTS, "missing", "a bundle of an exchange has the facts of its case")
    numbers = [fact.number for fact in facts]
    findings.require(
        all(later == earlier + 1 for earlier, later in pairwise(numbers)),
        FACTS,
        "gap",
        "facts are numbered without a gap, each once, in their order",
    )
    places = [(record.partition, record.offset) for record in records]
    findings.require(places == sorted(set(places)), FACTS, "wrong_place", "in the order of their topic")
    said = {where: one for one in evidence.said for where in one.found}
    speakers = {(one.event_id, one.statement.sender): one for one in evidence.said}
    for fact in facts:
        own = said.get(f"fact {fact.number}")
        if fact.by == EXCHANGE:
            spoken = fact.fact not in _SPOKEN
        else:
            spoken = own is not None or _follows(fact, speakers.get((fact.input_id, fact.by)))
        findings.require(spoken, f"fact {fact.number}", "no_statement", "a statement of the member it names")
        _check_fact(manifest, fact, own, findings)
    if len(findings.failures) == before:
        text = f"{len(facts)} facts, numbered without a gap; each agrees with the statement that caused it"
        findings.ok(FACTS, "facts", text)


def _check_fact(manifest: Manifest, fact: Fact, said: Said | None, findings: Findings) -> None:
    part = f"fact {fact.number}"
    findings.require(
        fact.case_id == manifest.case_id
        and fact.url_key.hex() == manifest.url_key
        and fact.environment == manifest.environment,
        part,
        "foreign_fact",
        "a fact of this case",
    )
    made = derived_id(fact.input_id, f"fact.{fact.fact}.{fact.number}", fact.case_id)
    findings.require(
        fact.fact_id == made, part, "wrong_id", "the id that follows from input, kind and number"
    )
    if said is None:
        return
    statement = said.statement
    agree = {
        "input_id": fact.input_id == statement.event_id,
        "by": fact.by == statement.sender,
        "environment": fact.environment == statement.environment,
        "url_key": fact.url_key in {statement.url_key, statement.url_key_next},
        "occurred_at": fact.occurred_at == clamped(statement.occurred_at, fact.admitted_at),
        "input_digest": fact.input_digest in {None, hashlib.sha256(said.framed).digest()},
        "content_digest": fact.content_digest in {None, statement.content_digest},
        **_meaning(fact, statement),
    }
    for field, holds in agree.items():
        findings.require(holds, f"{part} {field}", "disagrees", "what the signed statement says")


def _follows(fact: Fact, cause: Said | None) -> bool:
    """Answer whether a fact without a statement of its own is what a report or sighting brings along.

    A hotline that reports what it is responsible for itself has acknowledged it, and who has seen content in
    another country has said that it moved there; nothing else is put into a member's mouth.
    """
    if cause is None:
        return False
    if isinstance(cause.statement, ReportStatement):
        return fact.fact == "acknowledged" and fact.reference == cause.statement.reference
    seen_in = _country(cause.statement.new_hosting_country)
    is_followed = fact.fact == "moved" and cause.statement.action == "observed"
    return is_followed and fact.details is not None and fact.details.new_hosting_country == seen_in


def _meaning(fact: Fact, statement: ReportStatement | ActionStatement) -> Mapping[str, bool]:
    """Answer for each field that repeats what a member said whether it does."""
    if isinstance(statement, ReportStatement):
        return _of_report(fact, statement)
    if fact.fact in {"refused", "not_applicable"}:
        return {"action": fact.action == statement.action}
    if statement.action == REWRAP:
        return {"fact": fact.fact == "rewrapped", "report_event_id": _same_report(fact, statement)}
    return _of_action(fact, statement)


def _of_report(fact: Fact, statement: ReportStatement) -> Mapping[str, bool]:
    judged = statement.classification not in {None, "unassessed"}
    said = {
        "hosting_country": canonical_country(statement.hosting_country),
        "origin": statement.sender,
        "report_event_id": statement.event_id,
        "reference": statement.reference,
        "observed_at": _clamped(statement.observed_at, fact),
        "received_at": clamped(statement.received_at, fact.admitted_at),
        "classification": statement.classification if judged else None,
        "law_country": _country(statement.law_country) if judged else None,
        "content_topic": statement.content_topic,
    }
    return {"fact": fact.fact in _OF_REPORTS, **_same(fact, said)}


def _of_action(fact: Fact, statement: ActionStatement) -> Mapping[str, bool]:
    observed = statement.observed_at
    if statement.action == "observed" and observed is None:
        observed = statement.occurred_at
    said = {
        "reference": statement.reference,
        "reason_code": statement.reason_code,
        "recipient_role": statement.recipient_role,
        "is_online": statement.is_online,
        "observed_at": _clamped(observed, fact),
        "classification": statement.classification,
        "law_country": _country(statement.law_country),
    }
    named = fact.action if fact.fact in _SET_ASIDE else fact.fact
    return {
        "fact": named == statement.action,
        "outcome": fact.outcome in {None, statement.action},
        "report_event_id": _same_report(fact, statement),
        **_same(fact, said),
    }


def _same(fact: Fact, said: Mapping[str, Any]) -> dict[str, bool]:
    return {field: getattr(fact, field) == value for field, value in said.items()}


def _same_report(fact: Fact, statement: ActionStatement) -> bool:
    return fact.report_event_id in {None, statement.report_event_id}


def _clamped(at: int | None, fact: Fact) -> int | None:
    return None if at is None else clamped(at, fact.admitted_at)


def _country(code: str | None) -> str | None:
    return None if code is None else canonical_country(code)
