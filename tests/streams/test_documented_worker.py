"""The programs of docs/transport.md, run as a reader would run them."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Topics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "transport.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
DISTRIBUTIONS = metadata.packages_distributions()
INSTALLED = {each.name.lower().replace("_", "-") for each in metadata.distributions()}
TOPICS = ("source", "target", "counts", "source.state")
# A virtual environment may import things of its own at the start, such as a hook of setuptools.
LIST_IMPORTED = """
import sys
started_with = set(sys.modules)
{imports}
imported = set(sys.modules) - started_with
print(*(name.partition(".")[0] for name in imported))
print(*(name for name in imported if name.startswith("casework.")))
"""


def on_broker(program: str, topics: Topics) -> str:
    """Answer the program with the addresses and names of this test, and nothing else changed."""
    program = program.replace("127.0.0.1:9092", topics.bootstrap)
    names = "|".join((*map(re.escape, TOPICS), "copier", "counter"))
    return re.sub(rf'"({names})"', rf'"{topics.prefix}\1"', program)


async def started(directory: Path, *arguments: str) -> asyncio.subprocess.Process:
    """Start Python in a directory of its own with `streams` on its path."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=directory,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def until(topics: Topics, topic: str, records: int, worker: asyncio.subprocess.Process) -> None:
    """Return when so many records lie in a topic; show what the worker said if it ends before."""
    while len(await topics.values([topic])) < records:
        assert worker.returncode is None, (await worker.communicate())[1].decode()
        await asyncio.sleep(0.2)


@pytest.mark.kafka
async def test_the_programs_of_the_page_run_as_they_are_printed(topics: Topics, tmp_path: Path) -> None:
    """Both say what is missing and end with 78; with their topics they work, and SIGTERM ends them with 0."""
    assert len(PROGRAMS) == 2
    for number, program in enumerate(PROGRAMS):
        hurried = on_broker(program.replace('9092"))', '9092"), metadata_patience=0.2)'), topics)
        (tmp_path / f"program{number}.py").write_text(hurried, encoding="utf-8")
    topics.create(4, "source", "source.state")
    lost = await started(tmp_path, "program0.py")
    _, said = await lost.communicate()
    assert lost.returncode == 78, said.decode()[-3000:]
    assert f"topics missing, or not to be described by us: {topics.prefix}target:" in said.decode()
    topics.create(4, "target", "counts")
    await topics.fill("source", 4, range(400), keys=20)
    workers = [await started(tmp_path, f"program{number}.py") for number in range(2)]
    try:
        async with asyncio.timeout(60):
            await until(topics, "target", 400, workers[0])
            await until(topics, "counts", 400, workers[1])
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            ended = [(await worker.communicate(), worker.returncode) for worker in workers]
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
    assert [code for _, code in ended] == [0, 0], ended
    assert sorted(await topics.values(["target"])) == list(range(400))
    assert sorted(await topics.values(["counts"])) == sorted([*range(1, 21)] * 20)


def with_dependencies(names: set[str]) -> set[str]:
    """Answer the distributions that come along when these are installed."""
    found: set[str] = set()
    while names:
        name = names.pop()
        found.add(name)
        lines = [line for line in metadata.requires(name) or () if "extra ==" not in line]
        named = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in lines}
        names |= {each for each in named - found if each in INSTALLED}
    return found


async def test_what_the_page_says_to_install_is_what_a_worker_imports(tmp_path: Path) -> None:
    """Neither another package than the command installs, nor more of the exchange than the page names."""
    imports = "".join(re.findall(r"^(?:from|import) .*\n", "".join(PROGRAMS), re.MULTILINE))
    process = await started(tmp_path, "-c", LIST_IMPORTED.format(imports=imports))
    out, said = await process.communicate()
    assert process.returncode == 0, said
    imported = set(out.decode().split())
    command = re.search(r"^pip install (faust.*)$", PAGE, re.MULTILINE)
    assert command is not None
    named = {re.split(r"[=<>]", word)[0] for word in command[1].split()}
    used = {name.lower().replace("_", "-") for each in imported for name in DISTRIBUTIONS.get(each, ())}
    assert used - {"hotline-exchange"} - with_dependencies(set(named)) == set()
    assert named <= used
    assert {name for name in imported if name.startswith(("casework", "schemas", "agents"))} == {
        "casework", "casework.errors",
    }  # fmt: skip
