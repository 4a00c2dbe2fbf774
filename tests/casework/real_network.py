"""The naive model's network as a directory, and its plain events as admitted records."""

import functools
from typing import Any

import msgspec
from model import network
from sealed_samples import sealed_for, sealing_key_of

from casework.casekeeping import ActionEvent, Event, ReportEvent, Unpark, WakeUp
from casework.countries import ALL_COUNTRIES
from casework.directory import (
    CaseworkLimits,
    CountryRule,
    Deadlines,
    Directory,
    HotlineShare,
    Member,
    PseudoCountry,
)
from casework.messages import ActionStatement, Admitted, ReportStatement, Submission, Unparking
from casework.sealed_content import binding, to_bytes

OTHER_CASE = "00000000-0000-4000-8000-000000000000"
REPORT_FIELDS = (
    "urgency",
    "classification",
    "law_country",
    "observed_at",
    "received_at",
    "occurred_at",
    "hosting_status",
)
ACTION_FIELDS = (
    "action",
    "round",
    "leg",
    "classification",
    "law_country",
    "is_online",
    "observed_at",
    "occurred_at",
    "hosting_status",
    "fact_number",
    "observation",
    "corrected_action",
    "analyst",
    "second_analyst",
    "preserve_until",
    "hold_until",
    "has_police_reference",
    "to_member",
    "priority",
)
RENAMED = {
    "related": "related_case_ids",
    "reason": "reason_code",
    "role": "recipient_role",
    "new_country": "new_hosting_country",
}


@functools.lru_cache(maxsize=1024)
def directory_of(number: int, suspended: tuple[str, ...], rules: tuple[str, ...]) -> Directory:
    """Answer a version of the directory."""
    plain = network.version(number, suspended, rules)
    members = tuple(_member(name, one, plain) for name, one in sorted(network.MEMBERS.items()))
    return Directory(
        version=number,
        environment="test",
        published_at=0,
        valid_from=0,
        members=members,
        countries=tuple(_country(code, rule, plain) for code, rule in sorted(network.COUNTRIES.items())),
        pseudo_countries=tuple(
            PseudoCountry(code, code, one["reason"], tuple(one["liaisons"]), one["desk"])
            for code, one in network.PSEUDO_COUNTRIES.items()
        ),
        slot_count=1,
        slots={},
        rest_slots=(0,),
        aliases=network.ALIASES,
        deadlines=_deadlines(network.DEADLINES),
        casework=CaseworkLimits(**{_limit(name): value for name, value in network.LIMITS.items()}),
    )


def _limit(name: str) -> str:
    return name if name in CaseworkLimits.__struct_fields__ else f"{name}_ms"


def _member(name: str, one: dict[str, Any], plain: dict[str, Any]) -> Member:
    receives = plain["receives"].get(name)
    return Member(
        id=name,
        kind=one["kind"],
        name=name,
        countries=tuple(one["countries"]),
        mandates=tuple(one.get("mandates", ())),
        liaison=one.get("liaison"),
        status="suspended" if name in plain["suspended"] else "active",
        keys=(sealing_key_of(name),),
        feed=one.get("feed", "none"),
        feed_informs_police=one.get("feed_informs_police", False),
        may_receive_from=None if receives is None else tuple(receives),
        reads_escalations=one.get("liaison") not in plain["unread"],
        deadlines=_deadlines(plain["deadlines"].get(name, {})),
    )


def _deadlines(limits: dict[str, int]) -> Deadlines:
    return Deadlines(**{f"{step}_ms": limit for step, limit in limits.items()})


def _country(code: str, rule: dict[str, Any], plain: dict[str, Any]) -> CountryRule:
    takes = plain["remits"].get(code)
    return CountryRule(
        code=code,
        name=ALL_COUNTRIES[code],
        routing=rule["routing"] if takes is None else "remit",
        hotlines=tuple(
            _share(name, weight, (takes or {}).get(name, {})) for name, weight in rule["hotlines"].items()
        ),
        own_reports="share" if code in plain["own_reports"] else "keep",
        deadlines=_deadlines(plain["deadlines"].get(code, {})),
        notice_rule=rule.get("notice", "any"),
        hold_limit_ms=plain["holds"].get(code),
        police_wait_ms=rule.get("police_wait", 0),
        second_liaison=rule["contacts"][0] if "contacts" in rule else None,
        further_liaisons=tuple(rule.get("contacts", ())[1:]),
    )


def _share(name: str, weight: int, takes: dict[str, Any]) -> HotlineShare:
    return HotlineShare(
        name,
        weight,
        remit=tuple(takes.get("topic", ())),
        site_types=tuple(takes.get("site", ())),
        content_types=tuple(takes.get("type", ())),
        classifications=tuple(takes.get("classification", ())),
    )


def record_of(event: dict[str, Any], case_ids: list[str]) -> Event:
    """Answer a plain event as an admitted record; it names cases by the order of their beginning."""
    if event["kind"] == "wake":
        return WakeUp(_admitted(event, None))
    if event["kind"] == "unpark":
        return Unpark(_admitted(event, None), Unparking(operator="ops-1", reason="repaired"))
    if event["kind"] == "report":
        statement: ReportStatement | ActionStatement = ReportStatement(**_report(event))
    else:
        statement = ActionStatement(**_action(event, case_ids))
    submission = Submission(statement=event["said"].encode(), content=_content(event))
    admitted = _admitted(event, submission)
    if event["kind"] == "report":
        return ReportEvent(admitted, submission, statement)
    return ActionEvent(admitted, submission, statement)


def _report(event: dict[str, Any]) -> dict[str, Any]:
    return {
        **_common(event),
        **{field: event[field] for field in REPORT_FIELDS if field in event},
        "hosting_country": event["country"],
        "reference": "ref-" + event["id"],
        "content_type": event["type"],
        "content_topic": event["topic"],
        "site_type": event["site"],
        "urgency": tuple(event["urgency"]),
        "hosting_observed_at": event["host_seen_at"],
    }


def _action(event: dict[str, Any], case_ids: list[str]) -> dict[str, Any]:
    fields = {field: event[field] for field in ACTION_FIELDS if field in event}
    fields |= {real: event[plain] for plain, real in RENAMED.items() if plain in event}
    if event["case"] is not None:
        fields["case_id"] = case_ids[event["case"] - 1] if event["case"] else OTHER_CASE
    return {**_common(event), **fields, "hosting_country": "NL", "report_event_id": event.get("report")}


def _common(event: dict[str, Any]) -> dict[str, Any]:
    digest = None if event.get("sealed_for") is None else _sealed(event["digest"], ("gb-iwf",)).digest
    return {
        "event_id": event["id"],
        "environment": "test",
        "sender": event["sender"],
        "url_key": network.URL_KEY,
        "sent_at": event["at"],
        "directory_version": event["version"],
        "content_protection": "none" if digest is None else "jwe",
        "content_digest": digest,
    }


def _content(event: dict[str, Any]) -> bytes | None:
    if event.get("sealed_for") is None:
        return b"in the clear"
    return to_bytes(_sealed(event["digest"], tuple(event["sealed_for"])))


@functools.lru_cache(maxsize=1024)
def _sealed(digest: str, readers: tuple[str, ...]) -> Any:  # noqa: ANN401 - a SealedContent
    return sealed_for(readers, binding("test", "gb-iwf", digest, network.URL_KEY))


def _admitted(event: dict[str, Any], submission: Submission | None) -> Admitted:
    topic, partition, offset = event.get("position", "none/0/0").split("/")
    return Admitted(
        url_key=network.URL_KEY,
        kind="action" if event["kind"] == "rewrap" else event["kind"].replace("wake", "wakeup"),
        event_id=event["id"],
        environment="test",
        sender=event.get("sender", ""),
        hosting_country=event.get("country", ""),
        admitted_at=event["at"],
        submitted_at=event["at"] - 5,
        directory_version=event["version"],
        rules_version=1,
        source_topic=topic,
        source_partition=int(partition),
        source_offset=event["offset_then"] if "offset_then" in event else int(offset),
        step=event.get("step"),
        submission=None if submission is None else msgspec.msgpack.encode(submission),
    )
