"""The Kubernetes manifests against the code that runs in them; no cluster is needed."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from ruamel.yaml import YAML

from agents.health import Health, HealthServer
from agents.workers import KINDS, PRINCIPALS, options_of
from streams.key_rings import KeyRing, PrivateKey
from streams.secret_sources import Secret
from streams.settings import Settings
from streams.worker import STOP_TIMEOUT_S

BASE = Path(__file__).parents[2] / "deploy" / "k8s"
SETTINGS = {f"HX_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}
RING = KeyRing([PrivateKey.of("sign", bytes(32))]).to_key_set().reveal().decode()
WORKERS = ("intake", "casekeeper")


def documents(file: Path) -> list[dict[str, Any]]:
    """Answer all documents of a file; a key that stands twice is an error."""
    return list(YAML(typ="safe").load_all(file))


KUSTOMIZATION = documents(BASE / "kustomization.yaml")[0]
ALL = {(d["kind"], d["metadata"]["name"]): d for f in KUSTOMIZATION["resources"] for d in documents(BASE / f)}


def pod(worker: str) -> dict[str, Any]:
    """Answer the pod of a worker."""
    return ALL["StatefulSet", worker]["spec"]["template"]


def container(worker: str) -> dict[str, Any]:
    """Answer its only container."""
    (only,) = pod(worker)["spec"]["containers"]
    return only


def environment(worker: str) -> dict[str, str]:
    """Answer the variables as the first pod of a worker gets them."""
    values: dict[str, str] = {}
    for source in container(worker)["envFrom"]:
        values |= ALL["ConfigMap", source["configMapRef"]["name"]]["data"]
    for variable in container(worker)["env"]:
        match variable["valueFrom"]:
            case {"fieldRef": {"fieldPath": "metadata.name"}}:
                values[variable["name"]] = f"{worker}-0"
            case {"secretKeyRef": {"key": "ring", "name": "hotline-exchange-keys"}}:
                values[variable["name"]] = RING
            case {"secretKeyRef": {"key": "password", "name": name}}:
                values[variable["name"]] = f"password of {name}"
            case other:
                pytest.fail(f"unknown source of a variable: {other}")
    return values


def selects(selector: Mapping[str, str], worker: str) -> bool:
    """Answer whether a selector finds the pods of a worker."""
    return selector.items() <= pod(worker)["metadata"]["labels"].items()


def test_every_file_is_in_the_base_and_none_names_a_namespace() -> None:
    """A manifest that is written and not listed would never be applied; the overlay sets the namespace."""
    written = {file.name for file in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert written == set(KUSTOMIZATION["resources"])
    assert not [name for name, document in ALL.items() if "namespace" in document["metadata"]]
    assert len(ALL) == sum(len(documents(BASE / file)) for file in written)


@pytest.mark.parametrize("worker", WORKERS)
def test_every_variable_is_a_setting_and_loads(worker: str) -> None:
    """What the pod is given is read by the code, with the pod's name as the stable name in its group."""
    given = environment(worker)
    assert {name for name in given if name.startswith("HX_")} <= SETTINGS
    settings = Settings.load(given)
    assert settings.instance_id == f"{worker}-0"
    assert all(isinstance(value, str) for value in given.values()), "Kubernetes takes texts only"
    assert pod(worker)["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("worker", WORKERS)
def test_the_command_and_the_port_are_those_of_the_worker(worker: str) -> None:
    """Each worker opens the port that is scraped and probed, for others than itself."""
    assert worker in KINDS
    assert container(worker)["command"] == ["hx", "worker", worker]
    settings = Settings.load(environment(worker))
    (port,) = container(worker)["ports"]
    assert (port["name"], port["containerPort"]) == ("metrics", getattr(settings, f"{worker}_metrics_port"))
    assert settings.metrics_host == "0.0.0.0"  # noqa: S104 - inside the pod's own network


@pytest.mark.parametrize("worker", WORKERS)
def test_probes_ask_pages_that_are_served(worker: str) -> None:
    """Life never depends on readiness: a worker that loads is alive, and its start is waited for."""
    paths = {
        kind: container(worker)[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }
    assert {probe["port"] for probe in paths.values()} == {"metrics"}
    health = Health(lambda: "3 partitions are loading")
    with HealthServer("127.0.0.1", 0, CollectorRegistry(), health) as server:
        found = {kind: _status(server, probe["path"]) for kind, probe in paths.items()}
    assert found == {"startup": 200, "liveness": 200, "readiness": 503}


@pytest.mark.parametrize("worker", WORKERS)
def test_pods_have_no_rights_and_write_only_where_the_code_does(worker: str) -> None:
    """Not root, nothing to gain, a read-only root, and the data directory on a volume."""
    spec, inside = pod(worker)["spec"], container(worker)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert inside["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounts = {mount["mountPath"]: mount["name"] for mount in inside["volumeMounts"]}
    assert set(mounts.values()) == {volume["name"] for volume in spec["volumes"]}
    data = PurePosixPath(Settings.load(environment(worker)).data_dir)
    assert any(data.is_relative_to(path) for path in mounts)
    assert set(inside["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_stop_has_time_to_finish_and_commit(worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod is not killed before the worker's own bound on a stop is over."""
    monkeypatch.setenv("KAFKA_PASSWORD", "any")
    options = options_of(Settings.load(environment(worker)), PRINCIPALS[worker])
    assert pod(worker)["spec"]["terminationGracePeriodSeconds"] > STOP_TIMEOUT_S + options.drain_timeout
    assert options.drain_timeout < STOP_TIMEOUT_S


@pytest.mark.parametrize("worker", WORKERS)
def test_each_worker_connects_secured_and_as_itself(worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is that of the principal of its kind, and the authority lies on a volume of the pod."""
    given = environment(worker)
    monkeypatch.setenv("KAFKA_PASSWORD", given["KAFKA_PASSWORD"])
    access = options_of(Settings.load(given), PRINCIPALS[worker]).access
    assert (access.security, access.user) == ("scram", PRINCIPALS[worker])
    assert access.password == Secret(f"password of {PRINCIPALS[worker]}".encode())
    mounts = [mount["mountPath"] for mount in container(worker)["volumeMounts"]]
    assert any(PurePosixPath(access.ca).is_relative_to(path) for path in mounts)


@pytest.mark.parametrize("worker", WORKERS)
def test_workers_get_the_exchanges_ring_the_anchor_and_no_network_key(
    worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ring is read from the variable that the settings name, the anchor lies on a volume of the pod."""
    given = environment(worker)
    settings = Settings.load(given)
    monkeypatch.setenv("EXCHANGE_KEYS", given["EXCHANGE_KEYS"])
    assert [key.use for key in KeyRing.read(settings.keys, "HX_KEYS").keys] == ["sign"]
    assert not [name for name in given if "NETWORK" in name]
    mounts = [mount["mountPath"] for mount in container(worker)["volumeMounts"]]
    assert settings.directory_trust is not None
    assert any(PurePosixPath(settings.directory_trust).is_relative_to(path) for path in mounts)


@pytest.mark.parametrize("worker", WORKERS)
def test_selectors_find_their_pods(worker: str) -> None:
    """StatefulSet, budget and Service speak of the same pods, and each budget of one worker only."""
    stateful = ALL["StatefulSet", worker]["spec"]
    service = ALL["Service", stateful["serviceName"]]["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    assert service["ports"][0]["targetPort"] == container(worker)["ports"][0]["name"]
    assert selects(service["selector"], worker)
    budget = ALL["PodDisruptionBudget", worker]["spec"]
    for selector in (stateful["selector"]["matchLabels"], budget["selector"]["matchLabels"]):
        assert [name for name in WORKERS if selects(selector, name)] == [worker]
    assert budget["maxUnavailable"] == 1


def _status(server: HealthServer, path: str) -> int:
    try:
        with urllib.request.urlopen(server.address.replace("/metrics", path)) as answer:  # noqa: S310 - ours
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
