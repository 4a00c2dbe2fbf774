"""What each action must say to be admitted: which fields, from which lists, by which kind of member.

What an action means for its case is decided later (`action_rules`, `matters`).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from casework import codes
from casework.code_list import CodeList
from casework.directory import Directory
from casework.errors import RuleViolation
from casework.field_checks import NOT_OPAQUE, OPAQUE_ID, UUID, UUID7, check_codes, check_country, one
from casework.messages import ActionStatement

_CODES: Final[tuple[tuple[str, CodeList], ...]] = (
    ("action", codes.ACTIONS),
    ("recipient_role", codes.RECIPIENT_ROLES),
    ("observation", codes.OBSERVATIONS),
    ("hosting_status", codes.HOSTING_STATUSES),
    ("corrected_action", codes.ACTIONS),
    ("priority", codes.PRIORITIES),
)
_NEEDED_BY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "assessed": ("classification", "law_country"),
        "moved": ("new_hosting_country", "hosting_method", "observed_at"),
        "corrected": ("fact_number",),
        "confirmed": ("fact_number",),
        "transfer": ("to_member",),
    }
)
_SEALED_ONLY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    dict.fromkeys(("hold", "release"), ("reference", "reason_code"))
)
"""Fields that say of an action what only its readers may know."""
_REASONS: Final[Mapping[str, CodeList]] = MappingProxyType(
    {
        **dict.fromkeys(("decline", "transfer", "hand_back"), codes.DECLINE_REASONS),
        **dict.fromkeys(("corrected", "withdraw", "erase"), codes.CORRECTION_REASONS),
    }
)
"""The list that an action's reason is from; ICCAM's where it is not here.

ICCAM's beside it where a correction puts another fact in the place of a wrong one. No code is in both.
"""
IS_ONLINE: Final[Mapping[str | None, bool | None]] = MappingProxyType(
    {"online": True, "offline": False, "moved": True, "geo_blocked": None}
)
"""What an observation means for systems that know `is_online` only; geo-blocked is not offline."""
_ALL: Final = frozenset({"hotline", "law_enforcement", "authority"})
_POLICE: Final = frozenset({"law_enforcement"})
_HOTLINES: Final = frozenset({"hotline"})
_SECRETARIAT: Final = frozenset({"secretariat"})
_ACTORS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(("claim", "hand_back", "decline", "transfer", "withdraw", "assessed"), _HOTLINES),
        **dict.fromkeys(("hold", "release"), _HOTLINES | _POLICE),
        "preserve": _POLICE,
        "erase": _SECRETARIAT,
        **dict.fromkeys(("note", "confirmed"), _ALL | _SECRETARIAT),
    }
)


def actors(action: str) -> frozenset[str]:
    """Answer the kinds of member that may send an action at all."""
    return _ACTORS.get(action, _ALL)


def check_action_fields(statement: ActionStatement, directory: Directory) -> Iterator[RuleViolation]:
    """Yield every rule that the fields of an action break, apart from those that reports have too.

    Args:
        statement: The decoded statement.
        directory: Newest version valid at its admission.
    """
    yield from check_codes(statement, _CODES)
    yield from _reason(statement)
    yield from _aim(statement)
    for field in _NEEDED_BY.get(statement.action, ()):
        if getattr(statement, field) is None:
            yield RuleViolation(field, "required", f"must be given with {statement.action}")
    yield from _observation(statement)
    if statement.action == "note" and not _says_something(statement):
        yield RuleViolation("content", "required", "a note has a text, labels, a priority or related cases")
    yield from _preservation(statement)
    for field in _SEALED_ONLY.get(statement.action, ()):
        if getattr(statement, field) is not None:
            yield RuleViolation(field, "sealed_only", "what police say of a hold belongs into the content")
    for field in ("new_hosting_country", "observed_from"):
        country = getattr(statement, field)
        if country is not None:
            yield from check_country(field, country, directory)
    if statement.to_member is not None and statement.to_member not in directory.members_by_id:
        yield RuleViolation("to_member", "unknown_member", f"not in directory {directory.version}")
    yield from _second_analyst(statement)


def _reason(statement: ActionStatement) -> Iterator[RuleViolation]:
    if statement.reason_code is None:
        return
    if _puts_another(statement) and statement.reason_code in codes.REASONS:
        return
    known = _REASONS.get(statement.action, codes.REASONS)
    yield from one(known.check("reason_code", statement.reason_code))


def _puts_another(statement: ActionStatement) -> bool:
    """Answer whether a correction says what stands instead: it may carry the reason of that, too."""
    return statement.action == "corrected" and (
        statement.corrected_action is not None or statement.classification is not None
    )


def _aim(statement: ActionStatement) -> Iterator[RuleViolation]:
    if statement.case_id is None and statement.report_event_id is None:
        yield RuleViolation("case_id", "required", "the case id, or the event id of the sender's own report")
    if statement.case_id is not None and not UUID.fullmatch(statement.case_id):
        yield RuleViolation("case_id", "not_a_uuid", "a UUID in lower-case text form")
    if statement.report_event_id is not None and not UUID7.fullmatch(statement.report_event_id):
        yield RuleViolation("report_event_id", "not_a_uuidv7", "a UUIDv7 in lower-case text form")
    for field in ("round", "leg", "fact_number"):
        value = getattr(statement, field)
        if value is not None and value < 1:
            yield RuleViolation(field, "out_of_range", "counted from 1")
    for index, case_id in enumerate(statement.related_case_ids):
        if not UUID.fullmatch(case_id):
            yield RuleViolation(f"related_case_ids[{index}]", "not_a_uuid", "a UUID in lower-case text form")


def _says_something(statement: ActionStatement) -> bool:
    return bool(
        statement.content_digest is not None
        or statement.labels
        or statement.priority is not None
        or statement.related_case_ids
    )


def _observation(statement: ActionStatement) -> Iterator[RuleViolation]:
    if statement.action == "observed" and statement.is_online is None and statement.observation is None:
        yield RuleViolation("observation", "required", "must be given with observed, or is_online")
    meant = IS_ONLINE.get(statement.observation)
    if None not in {meant, statement.is_online} and meant != statement.is_online:
        yield RuleViolation("is_online", "contradictory", "what the observation says, or left out")
    if statement.observation == "moved" and statement.new_hosting_country is None:
        yield RuleViolation("new_hosting_country", "required", "must be given with an observation moved")


def _preservation(statement: ActionStatement) -> Iterator[RuleViolation]:
    if statement.action != "preserve" or statement.has_police_reference:
        return
    if statement.preserve_until is None:
        yield RuleViolation(
            "preserve_until", "required", "must be given with preserve, or a police reference"
        )


def _second_analyst(statement: ActionStatement) -> Iterator[RuleViolation]:
    if statement.second_analyst is None:
        return
    if not OPAQUE_ID.fullmatch(statement.second_analyst):
        yield RuleViolation("second_analyst", "not_opaque", NOT_OPAQUE)
    if statement.second_analyst == statement.analyst:
        yield RuleViolation("second_analyst", "same_person", "another analyst than the first")
