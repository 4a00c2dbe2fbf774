"""What belongs to a case and is not in its bundle: every gap has a name, and a bundle must say why.

The reason is the word of whoever made the bundle; that something is missing is for everybody to see.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from casework.errors import BadInputError
from casework.messages import Delivery, Receipt
from casework.sealed_content import parse
from operations.evidence.derived import Evidence


def gaps(evidence: Evidence) -> tuple[str, ...]:
    """Answer the names of what is missing, sorted.

    A name is `facts 1-3`, `deliveries <recipient> 2-2`, `statement <event id>` (of which only the receipt is
    here), `content <event id>`, `clear content <event id>`, `signature <event id>` or `directory <version>`.
    """
    found = set(_ranges("facts", (fact.number for fact in evidence.facts)))
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for answer in evidence.answers:
        if isinstance(answer, Delivery):
            numbers[answer.recipient].append(answer.number)
    for recipient, of_recipient in numbers.items():
        found.update(_ranges(f"deliveries {recipient}", of_recipient))
    spoken = {one.event_id for one in evidence.said}
    found.update(
        f"statement {answer.event_id}"
        for answer in evidence.answers
        if isinstance(answer, Receipt) and answer.event_id not in spoken
    )
    there = digests(evidence.contents)
    for one in evidence.said:
        digest = one.statement.content_digest
        if one.signature is None:
            found.add(f"signature {one.event_id}")
        if digest is None:
            continue
        if digest not in there:
            found.add(f"content {one.event_id}")
        elif there[digest] not in evidence.opened:
            found.add(f"clear content {there[digest]}")
    wanted = {fact.directory_version for fact in evidence.facts}
    wanted.update(one.directory_version for one in evidence.said)
    found.update(f"directory {version}" for version in wanted - evidence.versions.parsed.keys())
    return tuple(sorted(found))


def digests(contents: Mapping[str, bytes]) -> dict[bytes, str]:
    """Answer the event ids of contents by the digest that a statement names them with.

    A content that claims to be sealed and is not in our form has the digest of its bytes, as a clear one.
    """
    return {content_digest(content): event_id for event_id, content in sorted(contents.items())}


def content_digest(content: bytes) -> bytes:
    """Answer what a statement names its content with."""
    if is_sealed(content):
        return parse(content).digest
    return hashlib.sha256(content).digest()


def is_sealed(content: bytes) -> bool:
    """Answer whether bytes are sealed content in our form."""
    if not content.startswith(b"{"):
        return False
    try:
        parse(content)
    except BadInputError:
        return False
    return True


def _ranges(what: str, numbers: Iterable[int]) -> Iterator[str]:
    """Yield the gaps in numbers that should begin with 1 and have none."""
    expected = 1
    for number in sorted(set(numbers)):
        if number > expected:
            yield f"{what} {expected}-{number - 1}"
        expected = max(expected, number + 1)
