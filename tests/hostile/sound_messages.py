"""Sound bytes of an exchange of three members: its directory and keys, a report, an action and a delivery."""

from pathlib import Path

import msgspec
from parser_promises import MARK

from casework import messages
from casework.directory import CountryRule, Directory, HotlineShare, Member
from casework.dsse import signed_statement
from casework.messages import Delivery, ReportContent, Submission
from casework.protection import binding_of
from casework.sealed_content import to_bytes
from connectors.sealing import seal
from operations.directory.equipping import equip
from streams import wire
from streams.key_rings import Signer
from streams.topics import Topics

NOW = 1_760_000_000_000
URL = f"https://{MARK}.example/{MARK}"
BARE = Directory(
    version=3,
    environment="test",
    published_at=NOW - 1000,
    valid_from=0,
    members=(
        Member("be-childfocus", "hotline", "Belgium", ("BE",), status="active"),
        Member("nl-offlimits", "hotline", "Netherlands", ("NL",), mandates=("orphans",), status="active"),
        Member("nl-police", "law_enforcement", "Police", ("NL",), status="active", liaison="nl"),
    ),
    countries=(
        CountryRule("BE", "Belgium", hotlines=(HotlineShare("be-childfocus"),), police_contact="101"),
        CountryRule("NL", "Netherlands", hotlines=(HotlineShare("nl-offlimits"),), police_contact="112"),
    ),
    pseudo_countries=(),
    slot_count=3,
    slots={"NL": (1,)},
    rest_slots=(0, 2),
    aliases={"UK": "GB", "EL": "GR"},
)
EQUIPMENT = equip(BARE, at=0)
DIRECTORY = EQUIPMENT.directory
SENDER, READER = "nl-offlimits", "be-childfocus"
KEY = b"\x01" + bytes(range(32))
TOPICS = Topics()
SIGNER = Signer(next(key for key in EQUIPMENT.rings[SENDER].keys if key.use == "sign"))
READERS = [key for member in DIRECTORY.members for key in member.keys if key.use == "seal"]
STATEMENT = messages.ReportStatement(
    event_id="0199c82a-0000-7000-8000-000000000001",
    environment="test",
    sender=SENDER,
    url_key=KEY,
    hosting_country="BE",
    sent_at=NOW,
    directory_version=3,
    occurred_at=NOW,
    received_at=NOW,
    reference=MARK,
    content_type="media",
    content_protection="jwe",
)
CONTENT = ReportContent(url=URL, note=MARK, sibling_items=(URL, URL))
CLEAR = wire.encode(CONTENT)
SEALED = seal(CLEAR, READERS, binding_of(STATEMENT))
SMALL = seal(b"x", READERS[:1], binding_of(STATEMENT))


def _submission(
    statement: messages.ReportStatement | messages.ActionStatement, content: bytes | None
) -> bytes:
    framed = wire.encode(statement)
    kind = "report" if isinstance(statement, messages.ReportStatement) else "action"
    signature = SIGNER.sign(signed_statement(kind, framed))
    return wire.encode(
        Submission(statement=framed, signature=signature, key_id=SIGNER.key_id, content=content)
    )


SOUND_STATEMENT = msgspec.structs.replace(STATEMENT, content_digest=SEALED.digest)
ACTION = messages.ActionStatement(
    event_id="0199c82a-0000-7000-8000-000000000002",
    environment="test",
    sender=SENDER,
    url_key=KEY,
    hosting_country="BE",
    sent_at=NOW,
    directory_version=3,
    occurred_at=NOW,
    action="acknowledged",
    case_id="0199c82a-0000-7000-8000-000000000003",
    reference=MARK,
)
SUBMISSIONS = (_submission(SOUND_STATEMENT, to_bytes(SEALED)), _submission(ACTION, None))
STATEMENTS = tuple(wire.decode_as(Submission, one).statement for one in SUBMISSIONS)
DELIVERY = Delivery(
    case_id="c",
    url_key=KEY,
    recipient=READER,
    number=1,
    kind="assignment",
    delivery_id="d",
    environment="test",
    is_urgent=False,
    round=1,
    leg=1,
    state="assigned",
    fact="opened",
    fact_number=1,
    by=SENDER,
    occurred_at=1,
    admitted_at=2,
    submitted_at=3,
    hosting_country="BE",
    report_event_id=STATEMENT.event_id,
    statement=STATEMENTS[0],
    signature=wire.decode_as(Submission, SUBMISSIONS[0]).signature,
    key_id=SIGNER.key_id,
    content=to_bytes(SEALED),
)
GOLDEN = Path(__file__).parents[1] / "schemas" / "golden"
MESSAGE = wire.encode(DELIVERY)
