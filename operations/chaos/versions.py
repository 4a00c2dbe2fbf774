"""Another version of the workers, to run beside the present one: the oldest that speaks the same wire format.

It comes from the repository's own history. Only revisions whose schemas are locked alike are taken, because
that is what an upgrade in service promises, and only those that can connect to secured brokers, take sealed
content in its present form and tell the long story of the tests alike: before a release the rules change
under one number, and two workers with different rules are no upgrade. Without such a revision (no history,
or the last one changed a schema or a rule) the present code stands in for it, and the report says so.
"""

import io
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
_PACKAGES: Final = ("casework", "schemas", "streams", "agents")
_LOCK: Final = "schemas/avro/lock.json"
_NEEDS: Final = ("streams/fault_points.py", "streams/kafka_access.py", "casework/directory_signing.py")
_COMMITS: Final = ("casework/sealed_content.py", b"COMMITMENT_BYTES")
"""What a revision must hold to take sealed content in the form in which it travels."""
_STORY: Final = "tests/agents/test_same_bytes.py"
"""Holds the digest of all that the rules write in a long story."""
_UNSET: Final = {
    *("HX_INSTANCE_ID", "HX_DIRECTORY", "HX_DIRECTORY_TRUST"),
    *("HX_KAFKA_CA", "HX_KAFKA_USER", "HX_KAFKA_PASSWORD"),
}
"""Variables that a version knows though its own settings leave them out, because they have no default."""
_LIMIT_S: Final = 60.0
_DEPTH: Final = 200


class Version(msgspec.Struct, frozen=True):
    """Code that a worker can run.

    Attributes:
        name: For the report.
        path: Directory with the packages.
        settings: Names of the variables it understands; None is all.
    """

    name: str
    path: Path
    settings: frozenset[str] | None = None

    def understood(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Answer the variables that this version knows; it refuses all others."""
        if self.settings is None:
            return dict(environment)
        return {key: value for key, value in environment.items() if key in self.settings}


PRESENT: Final = Version("the present code", ROOT)


def revision() -> str:
    """Answer the revision of the present code, with a mark where it was changed since."""
    head, changes = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--", *_PACKAGES)
    return "unknown" if head is None else head.decode().strip() + (" with changes" if changes else "")


def other_version(scratch: Path) -> Version:
    """Answer an older version that is wire-compatible, unpacked below `scratch`, or the present one again."""
    revision = _oldest_compatible()
    if revision is None:
        return msgspec.structs.replace(
            PRESENT, name="the present code again: no older one is wire-compatible"
        )
    archive = _git("archive", "--format=tar", revision, "--", *_PACKAGES)
    assert archive is not None, revision  # noqa: S101 - the revision was just listed
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(scratch, filter="data")
    return Version(f"revision {revision[:7]}", scratch, _settings_of(scratch))


def _oldest_compatible() -> str | None:
    listed = _git("log", f"--max-count={_DEPTH}", "--format=%H")
    found = None
    wanted, story = (ROOT / _LOCK).read_bytes(), _digest_of((ROOT / _STORY).read_bytes())
    for revision in (listed or b"").decode().split()[1:]:
        is_alike = _git("show", f"{revision}:{_LOCK}") == wanted
        path, mark = _COMMITS
        seals_alike = mark in (_git("show", f"{revision}:{path}") or b"")
        has_all = all(_git("show", f"{revision}:{path}") is not None for path in _NEEDS)
        tells_alike = _digest_of(_git("show", f"{revision}:{_STORY}") or b"") == story
        if not (is_alike and seals_alike and has_all and tells_alike):
            break
        found = revision
    return found


def _digest_of(test: bytes) -> bytes:
    return next((line for line in test.splitlines() if line.startswith(b"DIGEST")), b"")


def _settings_of(path: Path) -> frozenset[str]:
    code = "from streams.settings import Settings; print(*Settings().as_environment())"
    told = subprocess.run(  # noqa: S603 - our own code of another revision
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(path)},
        cwd=path,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=True,
    )
    return frozenset(told.stdout.split()) | _UNSET


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments of our own
            ["git", "-C", str(ROOT), *arguments],  # noqa: S607 - as the developer's path has it
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
