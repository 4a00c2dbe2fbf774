"""Who connects to Kafka: the names of the exchange's own principals. A member connects by its member id."""

from typing import Final

ADMIN: Final = "hx-admin"
INTAKE: Final = "hx-intake"
CASEKEEPER: Final = "hx-casekeeper"
OPERATOR: Final = "hx-operator"
SECRETARIAT: Final = "hx-secretariat"
METRICS: Final = "hx-metrics"

#: Those who connect by password, beside the members. `ADMIN` sets up the cluster and shows a certificate.
OWN: Final = (INTAKE, CASEKEEPER, OPERATOR, SECRETARIAT, METRICS)
#: Ids of members begin with none of these (`casework.directory_checks`): all such names are the exchange's.
RESERVED: Final = ("hx-", "broker-")
