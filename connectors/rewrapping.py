"""Answers the exchange's request to re-wrap: content gets further readers from a member that opens it.

A duty of every connector. The directory changes, cases move, keys are rotated; then those responsible hold
content that they cannot open, and only its origin or an earlier holder can help. Nobody is added whom the
directory does not name for the case.
"""

from typing import Final

import msgspec

from casework import sealed_content
from casework.content_readers import mandated, readers_of, sealing_key
from casework.directory import Directory
from casework.errors import BadInputError, RuleViolation, UnknownCountryError, UnknownMemberError
from casework.messages import ActionStatement, Delivery
from casework.protection import REWRAP, SEALED
from casework.public_keys import PublicKey
from casework.submissions import Admission
from connectors.errors import SealError, UnreadableContentError
from connectors.opening import Opener, statement_of
from connectors.preparing import Prepared, Sender, finish_action
from connectors.sealing import rewrap

REQUEST: Final = "rewrap_request"


def is_request(body: object) -> bool:
    """Answer whether a message asks for a re-wrap."""
    return isinstance(body, Delivery) and body.kind == REQUEST


def build_rewrap(request: Delivery, opener: Opener, sender: Sender, admission: Admission) -> Prepared:
    """Make the action `rewrap` that answers a request.

    The content keeps ciphertext, digest and binding: those of the report and its sender, whoever re-wraps.

    Args:
        request: The delivery that asks.
        opener: Proves the report's statement.
        sender: Who re-wraps, with its ring.
        admission: As intake would judge it now.

    Raises:
        UnprovenMessageError: Nothing proves that the report is its origin's.
        UnreadableContentError: The request has no sealed content, or no key of the ring opens it.
        SealError: There is no ring, those responsible have no key to seal to or may not receive from the
            report's origin, or nobody is to be added.
        DraftRefusedError: The rules would refuse the action.
    """
    statement = statement_of(request)
    if statement is None or request.content is None or statement.content_protection != SEALED:
        raise UnreadableContentError(RuleViolation("content", "not_sealed", "the sealed content of a report"))
    if sender.keys is None:
        raise SealError("content is re-wrapped with a key ring: name the member's (HX_KEYS)")
    opener.prove(statement, request)
    try:
        sealed = sealed_content.parse(request.content)
    except BadInputError as error:
        raise UnreadableContentError(error.violations) from error
    if sealed.digest != statement.content_digest:
        raise UnreadableContentError(
            RuleViolation("content", "digest_mismatch", "the content that the statement speaks of")
        )
    keys = _keys_for(admission.directory, request, (statement.sender, sender.member), admission.submitted_at)
    wider = rewrap(sealed, sender.keys, keys)
    if wider is sealed:
        raise SealError("those responsible have a key among the recipients already: there is nobody to add")
    answer = ActionStatement(
        event_id=sender.new_id(admission.admitted_at),
        environment=sender.environment,
        sender=sender.member,
        url_key=request.url_key,
        sent_at=admission.submitted_at,
        directory_version=admission.directory.version,
        occurred_at=admission.admitted_at,
        action=REWRAP,
        case_id=request.case_id,
        report_event_id=statement.event_id,
        hosting_country=statement.hosting_country,
        round=request.round,
        leg=request.leg,
        content_digest=wider.digest,
        content_protection=SEALED,
    )
    prepared = finish_action(answer, sealed_content.to_bytes(wider), sender, admission)
    # Whoever is asked to re-wrap a report need not wait for its receipt.
    return msgspec.structs.replace(prepared, after=None)


def _keys_for(
    directory: Directory, request: Delivery, holders: tuple[str, str], at: int
) -> tuple[PublicKey, ...]:
    """Answer the keys of those responsible and of the police around them; never anybody else's.

    Args:
        directory: The version in use.
        request: The delivery that asks.
        holders: The origin of the report, by whose countries it is decided who may receive it, and the member
            that re-wraps; both can open it.
        at: Real time; milliseconds since the epoch, UTC.

    Raises:
        SealError: Nobody responsible has a key, or may receive from the origin.
        UnreadableContentError: The country of the case is none.
    """
    origin, sender = holders
    country = request.assigned_country or request.hosting_country
    if country is None:
        raise SealError("the request names no country")
    try:
        named = set(readers_of(directory, country, origin))
        hotlines = _hotlines_of(directory, country)
    except UnknownCountryError as error:
        raise UnreadableContentError(error.violations) from error
    receiving = {hotline for hotline in hotlines if directory.may_receive(directory.member(hotline), origin)}
    # The request is the exchange's word: who may be responsible for a country is the secretariat's.
    if request.assigned_hotline is None:
        if receiving:
            raise SealError(f"directory version {directory.version}: the country has an active hotline")
        responsible = {member.id for member in mandated(directory, origin)}
    elif request.assigned_hotline not in hotlines:
        raise SealError(f"directory version {directory.version}: no active hotline of the country is named")
    elif request.assigned_hotline not in receiving:
        rule = f"{request.assigned_hotline} may not receive from the countries of {origin}"
        raise SealError(f"directory version {directory.version}: {rule}")
    else:
        responsible = {request.assigned_hotline}
    keys = {}
    for member in sorted((named - {origin}) | responsible):
        try:
            keys[member] = sealing_key(directory, member, at)
        except UnknownMemberError:
            continue
    if not responsible & keys.keys():
        names = ", ".join(sorted(responsible))
        raise SealError(f"directory version {directory.version} lists no sealing key now of: {names}")
    keys.pop(sender, None)
    return tuple(keys.values())


def _hotlines_of(directory: Directory, country: str) -> frozenset[str]:
    """Answer the active hotlines that a country's cases can be assigned to; a pseudo-country has none."""
    if directory.pseudo_country(country) is not None:
        return frozenset()
    shares = directory.country(country).hotlines
    return frozenset(share.member for share in shares if directory.is_active(share.member))
