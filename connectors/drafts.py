"""What a hotline's system knows, as it gives it to the client: a report or an action, not checked yet.

`preparing` makes submissions of drafts.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final, Self

import msgspec

from casework.directory import EXCHANGE
from casework.errors import RuleViolation
from casework.messages import Delivery, Escalation, Label
from connectors.errors import DraftRefusedError

_OF_POLICE: Final = frozenset({"hold", "release", "preserve"})

Time = dt.datetime | int
"""A moment: a datetime with time zone, or milliseconds since the epoch, UTC."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TIME_TEXT: Final = "a time with its zone, as 2026-01-12T08:31:00+01:00"
_NAMED_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `([a-z_]{1,40})`")
_REPEATED: Final = re.compile(r" ?(?:'[^']*'|`[^`]*[^`a-z|][^`]*`)")
"""What msgspec may repeat of a value: all that is quoted, but names of types."""


class ReportDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One content item (one URL) as a hotline's system knows it.

    Fields have the name and meaning of those of `ReportStatement` and `ReportContent`. What is special here:

    Attributes:
        event_id: UUIDv7 of this submission; give your own to be able to repeat it after a crash, else one is
            made.
        received_at: When the public reported; seconds are cut off, they could point to a person.
        occurred_at: When the report was released to the exchange; now, if not given.
        readers: Member ids that can open the content besides those whom the directory's rule names.
    """

    url: str
    hosting_country: str
    received_at: Time
    reference: str
    content_type: str
    event_id: str | None = None
    occurred_at: Time | None = None
    observed_at: Time | None = None
    complaint_id: str | None = None
    is_source_page: bool = False
    site_type: str = "not_determined"
    commerciality: str = "not_determined"
    payment_methods: tuple[str, ...] = ()
    content_topic: str | None = None
    hosting_status: str = "confirmed"
    hosting_method: str | None = None
    hosting_observed_at: Time | None = None
    hosting_is_cdn: bool = False
    detection_method: str | None = None
    urgency: tuple[str, ...] = ()
    previously_known: bool = False
    analyst: str | None = None
    classification: str | None = None
    assessed_at: Time | None = None
    law_country: str | None = None
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    labels: tuple[Label, ...] = ()
    hosting_ip: str | None = None
    hosting_provider: str | None = None
    hosting_asn: int | None = None
    referrer: str | None = None
    username: str | None = None
    password: str | None = None
    website_name: str | None = None
    page_title: str | None = None
    note: str | None = None
    note_language: str | None = None
    source_page: str | None = None
    sibling_items: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


class ActionDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened to a case, or what is asked for, as a member's system knows it.

    Fields have the name and meaning of those of `ActionStatement` and `ActionContent`. `ActionDraft.about`
    fills what a delivery already says. The case is named by `case_id`, or by `report_event_id` of an own
    report, and its place by `url_key` or by `url`, which is used for the key only and is not sent.

    Attributes:
        readers: Member ids that must be able to open the content besides those whom the directory's rule
            names; one without a key is an error.
        parties: Member ids known to have part in the case: the content is sealed for them too, as far as they
            have a key and may receive from the sender. `about` and the client fill them in.
    """

    action: str
    hosting_country: str
    case_id: str | None = None
    report_event_id: str | None = None
    url_key: bytes | None = None
    url: str | None = None
    event_id: str | None = None
    occurred_at: Time | None = None
    round: int | None = None
    leg: int | None = None
    reference: str | None = None
    reason_code: str | None = None
    recipient_role: str | None = None
    is_online: bool | None = None
    observed_at: Time | None = None
    new_hosting_country: str | None = None
    hosting_method: str | None = None
    hold_until: Time | None = None
    preserve_until: Time | None = None
    observation: str | None = None
    observed_from: str | None = None
    hosting_status: str | None = None
    to_member: str | None = None
    fact_number: int | None = None
    corrected_action: str | None = None
    second_analyst: str | None = None
    has_police_reference: bool = False
    priority: str | None = None
    related_case_ids: tuple[str, ...] = ()
    analyst: str | None = None
    classification: str | None = None
    assessed_at: Time | None = None
    law_country: str | None = None
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    labels: tuple[Label, ...] = ()
    note: str | None = None
    note_language: str | None = None
    police_reference: str | None = None
    police_unit: str | None = None
    new_url: str | None = None
    readers: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()

    @classmethod
    def about(cls, message: Delivery | Escalation, action: str, **fields: Any) -> Self:  # noqa: ANN401 - the fields above
        """Draft an action on the case of a delivery, in its round and leg, or on that of an escalation.

        An escalation that intake sent before the case was there names it by the origin's report.
        """
        given: dict[str, Any] = {"url_key": message.url_key, "hosting_country": message.hosting_country}
        if isinstance(message, Delivery):
            given |= {"case_id": message.case_id, "round": message.round, "leg": message.leg}
        elif message.case_id is None:
            given["report_event_id"] = message.event_id
        else:
            given["case_id"] = message.case_id
        draft = cls(action=action, **(given | fields))
        return draft if draft.parties else draft.known_to(*parties_in(message))

    @property
    def is_confidential(self) -> bool:
        """Whether the content is about an investigation: for the responsible hotline and liaisons only."""
        return (
            self.action in _OF_POLICE
            or self.has_police_reference
            or self.police_reference is not None
            or self.police_unit is not None
        )

    def known_to(self, responsible: str | None, others: Iterable[str]) -> Self:
        """Answer the draft with the parties of its case; of a confidential one only who is responsible."""
        known = () if responsible is None else (responsible,)
        further = () if self.is_confidential else tuple(others)
        return msgspec.structs.replace(self, parties=tuple(dict.fromkeys((*self.parties, *known, *further))))


def parties_in(message: Delivery | Escalation) -> tuple[str | None, tuple[str, ...]]:
    """Answer the responsible hotline that a message names, and the other parties of the case in it.

    What answers an escalation is handed on to the responsible hotline only.
    """
    others = (message.origin, message.by) if isinstance(message, Delivery) else ()
    return message.assigned_hotline, tuple(one for one in others if one not in {None, EXCHANGE})


def milliseconds(moment: Time) -> int:
    """Answer a moment in milliseconds since the epoch, UTC."""
    return moment if isinstance(moment, int) else (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def violation_of(error: msgspec.ValidationError) -> RuleViolation:
    """Answer which field of a draft has the wrong type, is missing or unknown; never with its value."""
    problem, _, path = str(error).partition(" - at `$")
    named = _NAMED_FIELD.match(problem)
    if named is not None:
        required = named[1] == "missing required"
        rule, text = ("required", "must be given") if required else ("unknown_field", "no such field")
        return RuleViolation(named[2], rule, text)
    field = path.strip(".`") or "draft"
    if problem.startswith("Invalid RFC3339"):
        return RuleViolation(field, "wrong_type", f"must be {_TIME_TEXT}, or milliseconds since 1970 UTC")
    return RuleViolation(field, "wrong_type", _REPEATED.sub("", problem).replace("`", ""))


def check_types(draft: ReportDraft | ActionDraft) -> None:
    """Refuse what a program without a type checker may pass, before it becomes an error in the encoder."""
    values = msgspec.structs.asdict(draft)
    try:
        msgspec.convert(values, type(draft), builtin_types=(bytes, dt.datetime))
    except msgspec.ValidationError as error:
        raise DraftRefusedError([violation_of(error)]) from None
    for field, value in values.items():
        if isinstance(value, dt.datetime) and value.tzinfo is None:
            raise DraftRefusedError([RuleViolation(field, "no_time_zone", f"must be {_TIME_TEXT}")])
