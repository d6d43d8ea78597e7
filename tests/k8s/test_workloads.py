"""What every workload must have, whoever wrote it."""

from tests.k8s.manifests import Cluster, Manifest, amount


def test_pods_may_do_nothing_more_than_they_must(cluster: Cluster) -> None:
    for workload in (*cluster.workloads, *cluster.jobs):
        pod = workload.pod
        assert pod["automountServiceAccountToken"] is False, workload.name
        assert pod["serviceAccountName"] == workload.name
        assert cluster.one("ServiceAccount", workload.name)["automountServiceAccountToken"] is False
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] >= 1000
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in workload.containers:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_containers_have_limits_above_their_requests(cluster: Cluster) -> None:
    for workload in (*cluster.workloads, *cluster.jobs):
        for container in workload.containers:
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert {"cpu", "memory", "ephemeral-storage"} <= requests.keys() == limits.keys(), workload.name
            for name, request in requests.items():
                assert amount(request) <= amount(limits[name]), (workload.name, name)


def test_scratch_space_is_bounded_and_fits(cluster: Cluster) -> None:
    for workload in (*cluster.workloads, *cluster.jobs):
        sizes = [amount(volume["emptyDir"]["sizeLimit"]) for volume in workload.pod["volumes"] if "emptyDir" in volume]
        assert sum(sizes) <= amount(workload.server["resources"]["limits"]["ephemeral-storage"]) + amount("512Mi")


def test_every_writable_place_is_a_volume(cluster: Cluster) -> None:
    for workload in (*cluster.workloads, *cluster.jobs):
        assert "/tmp" in {mount["mountPath"] for mount in workload.server["volumeMounts"]}, workload.name
        for mount in workload.server["volumeMounts"]:
            assert "subPath" not in mount, "such a mount never changes"


def test_images_have_tags_that_stay(cluster: Cluster) -> None:
    for workload in (*cluster.workloads, *cluster.jobs):
        images = [container["image"] for container in workload.containers]
        images += [volume["image"]["reference"] for volume in workload.pod["volumes"] if "image" in volume]
        for image in images:
            name, _, tag = image.rpartition(":")
            assert name, image
            assert tag != "latest"


def test_kubernetes_asks_for_health_where_the_server_is(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = workload.server[kind]
            assert probe["timeoutSeconds"] <= probe["periodSeconds"]
            assert _probed(probe) in {*workload.ports, *workload.ports.values()}, (workload.name, kind)


def _probed(probe: Manifest) -> int | str:
    if "grpc" in probe:
        return int(probe["grpc"]["port"])
    if "httpGet" in probe:
        return str(probe["httpGet"]["port"])
    address = next(word for word in probe["exec"]["command"] if word.startswith("127.0.0.1:"))
    return int(address.rpartition(":")[2])


def test_maintenance_takes_one_pod_at_a_time(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        budget = cluster.one("PodDisruptionBudget", workload.name)["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"].items() <= workload.labels.items()


def test_pods_are_spread_over_zones_and_nodes(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        spread = {each["topologyKey"]: each for each in workload.pod["topologySpreadConstraints"]}
        assert spread.keys() == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        for each in spread.values():
            assert each["labelSelector"]["matchLabels"].items() <= workload.labels.items()


def test_selectors_find_the_pods_of_their_workload_alone(cluster: Cluster) -> None:
    for workload in cluster.workloads:
        selector = workload.manifest["spec"]["selector"]["matchLabels"]
        found = [other.name for other in cluster.workloads if selector.items() <= other.labels.items()]
        assert found == [workload.name]


def test_services_lead_to_ports_of_pods(cluster: Cluster) -> None:
    for service in cluster.all("Service"):
        selector = service["spec"]["selector"]
        (workload,) = (each for each in cluster.workloads if selector and selector.items() <= each.labels.items())
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in workload.ports
            # Clients of a headless name reach the pod's own port, whatever the Service says.
            if service["spec"].get("clusterIP") == "None":
                assert port["port"] == workload.ports[port["targetPort"]]


def test_our_own_are_balanced_by_their_clients(cluster: Cluster) -> None:
    for workload in cluster.processes:
        assert cluster.one("Service", workload.name)["spec"]["clusterIP"] == "None"


def test_roll_outs_give_clients_time_to_connect(cluster: Cluster) -> None:
    """A gateway asks DNS every five seconds at most, and takes two more to connect."""
    for workload in cluster.workloads:
        assert workload.manifest["spec"]["minReadySeconds"] >= 7
