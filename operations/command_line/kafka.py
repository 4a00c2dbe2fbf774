"""`hx kafka`: the embedded Kafka in the background."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson, print_json
from operations.embedded_kafka import EmbeddedKafka, LocalSecurity, kafka_home, renew
from operations.embedded_kafka.certificates import RENEW_BELOW_DAYS
from operations.embedded_kafka.process import LOOPBACK, port_is_open
from streams.principals import OWN

app = typer.Typer(
    help="A real Apache Kafka on this machine, secured: for a first look and tests, not for production."
)

Directory = Annotated[
    Path | None, typer.Option("--directory", help="Its directory; default HX_KAFKA_DIR or the user's cache.")
]


@app.command()
def start(
    directory: Directory = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 9092,
    heap_mb: Annotated[int, typer.Option(help="Java heap in MiB.")] = 512,
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="Without encryption and users: for measurements.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start Kafka in the background, print its address and what a shell needs; code 1 if it runs already.

    Other hx commands on this machine find it, its certificates and its passwords by themselves.

    Example: hx kafka start
    """
    home = directory or kafka_home()
    running = EmbeddedKafka.running(home)
    if running is not None:
        leave(
            Exit.NO,
            f"an embedded Kafka already runs at {running.bootstrap} (process {running.pid}): use it, "
            "or end it with 'hx kafka stop'",
        )
    if port and port_is_open(port):
        leave(
            Exit.UNAVAILABLE,
            f"port {port} of {LOOPBACK} is taken by another program: name another by --port, 0 for any",
        )
    print(EmbeddedKafka.announcement(), file=sys.stderr, flush=True)
    security: LocalSecurity = "none" if plaintext else "scram"
    broker = EmbeddedKafka.start(home, port=port, heap_mb=heap_mb, security=security)
    broker.local_access.add_users(OWN)
    _show(broker, as_json=as_json)


@app.command()
def stop(directory: Directory = None) -> None:
    """Stop it; its data stays.

    Example: hx kafka stop
    """
    broker = EmbeddedKafka.running(directory or kafka_home())
    if broker is None:
        leave(Exit.NO, "no embedded Kafka is running")
    broker.stop()
    print("stopped")


@app.command()
def status(directory: Directory = None, as_json: AsJson = False) -> None:
    """Say whether it runs and where; exit code 1 if it does not.

    Example: hx kafka status
    """
    broker = EmbeddedKafka.running(directory or kafka_home())
    if broker is None:
        if as_json:
            print_json({"running": False})
        leave(Exit.NO, None if as_json else "no embedded Kafka is running")
    _show(broker, as_json=as_json)


@app.command("renew")
def renew_certificates(
    directory: Directory = None,
    below_days: Annotated[
        int, typer.Option(min=1, help="Renew what has fewer days left.")
    ] = RENEW_BELOW_DAYS,
) -> None:
    """Renew certificates that end soon, while Kafka runs and stays connected; a start does it too.

    Example: hx kafka renew
    """
    broker = EmbeddedKafka.running(directory or kafka_home())
    if broker is None:
        leave(Exit.NO, "no embedded Kafka is running: its next start renews what is due")
    made = renew([broker], datetime.now(UTC), below_days=below_days)
    print("\n".join(f"new: {path}" for path in made) or "nothing is due")


def _show(broker: EmbeddedKafka, *, as_json: bool) -> None:
    access = broker.local_access
    days = {} if access.trust is None else access.trust.days_left(datetime.now(UTC))
    if as_json:
        print_json(
            {
                "running": True,
                "bootstrap": broker.bootstrap,
                "pid": broker.pid,
                "security": "none" if access.trust is None else "scram",
                "environment": access.environment(),
                "certificate_days_left": days,
            }
        )
        return
    print(f"Kafka answers at {broker.bootstrap} (process {broker.pid})")
    if access.trust is None:
        print("without encryption and users: whoever reaches this machine's loopback may do everything")
    else:
        print(f"secured; the first certificate ends in {min(days.values()):.0f} days")
    print("hx finds it by itself; other programs and shells need")
    environment = access.environment()
    for name, value in environment.items():
        print(f"  export {name}={shlex.quote(value)}")
    if access.trust is not None and "HX_KEYS" not in environment:
        print(
            "and, after 'hx directory publish', further lines about keys: 'hx kafka status' prints them then"
        )
