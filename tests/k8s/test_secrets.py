"""Secrets are named, never kept; whoever keeps them can make every one that is named."""

from tests.k8s.manifests import Cluster

_BY_HAND = {"bankai-ca"}
"""The authority's own, which no process mounts."""


def _named(cluster: Cluster) -> dict[str, set[str]]:
    """Keys that pods name, by Secret; of a mounted one, none are told."""
    named: dict[str, set[str]] = {}
    for workload in cluster.workloads:
        for volume in workload.pod["volumes"]:
            if "secret" in volume:
                named.setdefault(volume["secret"]["secretName"], set())
        for container in workload.containers:
            for source in container.get("envFrom", ()):
                if "secretRef" in source:
                    named.setdefault(source["secretRef"]["name"], set())
            for entry in container.get("env", ()):
                reference = entry.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    named.setdefault(reference["name"], set()).add(reference["key"])
    return named


def test_every_secret_of_production_is_made_by_somebody(prod: Cluster) -> None:
    made = {
        each["spec"]["target"]["name"]: {data["secretKey"] for data in each["spec"]["data"]}
        for each in prod.all("ExternalSecret")
    }
    certificates = {each["spec"]["secretName"] for each in prod.all("Certificate")}
    named = _named(prod)
    assert named.keys() == made.keys() | certificates
    for secret, keys in named.items():
        assert secret in certificates or keys <= made[secret]


def test_certificates_come_from_an_authority_that_is_there(prod: Cluster) -> None:
    issuers = {each["metadata"]["name"]: each["spec"]["ca"]["secretName"] for each in prod.all("Issuer")}
    assert set(issuers.values()) == _BY_HAND
    assert {each["spec"]["issuerRef"]["name"] for each in prod.all("Certificate")} == issuers.keys()
    assert "bankai-ca" not in _named(prod)
