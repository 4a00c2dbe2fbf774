"""From directory, topic table and settings to a cluster that is as they ask, rights and users included.

The order is a promise. What is too much goes first: the right, which ends what open connections may do, then
the password, which ends new ones; neither waits for topics that cannot be changed. What is missing comes
last, and the password at the very end: nobody connects without a quota or with half of their rights.
"""

from collections.abc import Callable

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from casework.directory import Directory
from casework.errors import SetupError, TemporaryError
from operations.embedded_kafka import LocalAccess
from operations.passwords import Passwords
from operations.setting_up import wanted_topics
from streams import access_control, provision, quotas
from streams.access_plan import AccessPlan, Ours, plan_access
from streams.access_rights import has_access, rights, users
from streams.cluster_plan import ClusterPlan
from streams.kafka_settings import access_of
from streams.principals import ADMIN
from streams.settings import Settings
from streams.topics import Topics


class PasswordsMissingError(SetupError):
    """Users are to be added and nobody said where their passwords go; nothing was added."""


def plan_cluster(settings: Settings, directory: Directory, *, user: str = ADMIN) -> ClusterPlan:
    """What provisioning would change on the cluster; nothing is changed.

    Args:
        settings: The settings.
        directory: The directory.
        user: As whom to look, where the settings name nobody.

    Raises:
        TemporaryError: No broker answers.
        NoAccessControlError: The settings speak of rights and the brokers check none.
    """
    with provision.connect(access_of(settings, user)) as admin:
        return _plan(admin, settings, directory)


def provision_cluster(
    settings: Settings,
    directory: Directory,
    *,
    passwords: Passwords | None = None,
    on_plan: Callable[[ClusterPlan], object] | None = None,
) -> ClusterPlan:
    """Bring the cluster to what directory and settings ask for and answer the plan that was applied.

    Args:
        settings: The settings.
        directory: The directory.
        passwords: Gives new users their passwords.
        on_plan: Told the plan before it is applied.

    Raises:
        PlanRefusedError: A difference of topics is never resolved; rights and users that are too much are
            gone all the same, nothing else was changed.
        PasswordsMissingError: Likewise, because users are to be added and `passwords` is None.
        TemporaryError: No broker answers, or provisioning was interrupted; repeat it.
    """
    with provision.connect(access_of(settings, ADMIN)) as admin:
        made = _plan(admin, settings, directory)
        if on_plan is not None:
            on_plan(made)
        access = made.access or AccessPlan()
        access_control.revoke(admin, access.revoke)
        access_control.delete_passwords(admin, access.drop)
        if access.add and passwords is None:
            raise PasswordsMissingError(
                f"{len(access.add)} users need a password: name a directory for them with --passwords"
            )
        new = {} if passwords is None else {user: passwords.of(user) for user in access.add}
        provision.apply(admin, made.topics)
        quotas.set_rates(admin, made.rates)
        access_control.grant(admin, access.grant)
        access_control.set_passwords(admin, new)
    return made


def provision_local(access: LocalAccess, settings: Settings, directory: Directory) -> ClusterPlan:
    """Bring an embedded broker to what directory and settings ask for; new passwords are kept beside it."""
    return provision_cluster(access.admin_settings(settings), directory, passwords=local_passwords(access))


def local_passwords(access: LocalAccess) -> Passwords | None:
    """Answer the passwords kept beside an embedded broker; None where it knows no users."""
    return None if access.trust is None else Passwords(access.trust.passwords)


def _plan(admin: KafkaAdminClient, settings: Settings, directory: Directory) -> ClusterPlan:
    try:
        return _compared(admin, settings, directory)
    except KafkaError as error:
        raise TemporaryError(f"the cluster could not be compared: {type(error).__name__}") from error


def _compared(admin: KafkaAdminClient, settings: Settings, directory: Directory) -> ClusterPlan:
    table = wanted_topics(settings, directory)
    topics = Topics(settings.topic_prefix)
    names = {topic.name for topic in table}
    inboxes = {name: member for name in admin.list_topics() if (member := topics.member_of_inbox(name))}
    # Whoever has an inbox was a member once.
    known = {member.id for member in directory.members} | set(inboxes.values())
    is_secured = settings.kafka_security != "none"
    access: AccessPlan | None = None
    if is_secured:
        ours = Ours(topics, names | set(inboxes), known)
        there = access_control.read_access(admin)
        access = plan_access(there, rights(directory, topics), users(directory), ours)
    rates = quotas.wanted_rates(
        [member.id for member in directory.members if has_access(member)],
        "user" if is_secured else "client-id",
        sends=settings.member_bytes_per_s,
        reads=settings.member_read_bytes_per_s,
    )
    cluster = provision.read_cluster(admin, names)
    return ClusterPlan(
        topics=provision.plan(
            cluster, table, replication=settings.replication, min_insync=settings.min_insync
        ),
        rates=quotas.plan_rates(quotas.read_rates(admin), rates, known),
        access=access,
    )
