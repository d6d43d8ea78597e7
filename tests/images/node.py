"""A Kubernetes node in little: runs a workload's pod with runc as its manifest says.

What a pod gets here: its image with a read-only root, its user and group, no capabilities and no way to new privileges,
namespaces of its own with an address of its own, its variables, volumes and limit of memory. What it does not: the
seccomp profile of the container runtime, shares of CPU, probes, hooks.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.k8s.manifests import NAMESPACE, PROCESSES, Cluster, Workload, amount
from tools.buildah import buildah, mounted

_NUMBERS = count()
_NAMESPACES = ("pid", "ipc", "uts", "mount")
_CAPABILITIES = ("bounding", "effective", "inheritable", "permitted", "ambient")
_MOUNTS = (
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev"]},
)


@dataclass(frozen=True)
class Pod:
    """A pod that runs.

    Attributes:
        address: Its IP address.
        process: runc, which ends as the pod's process does and hands signals on to it.
        node: Where it runs.
        name: Its name there.
    """

    address: str
    process: subprocess.Popen[bytes]
    node: "Node"
    name: str

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the pod, as a probe does."""
        return subprocess.run(
            ["runc", "--root", str(self.node.folder / "runc"), "exec", self.name, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def status(self) -> str:
        """What the kernel says of its process: the first of its namespace."""
        state = subprocess.run(
            ["runc", "--root", str(self.node.folder / "runc"), "state", self.name], capture_output=True, check=True
        )
        return Path(f"/proc/{json.loads(state.stdout)['pid']}/status").read_text(encoding="ascii")

    def volume(self, name: str) -> Path:
        """Where a volume of it lies on the node."""
        return self.node.folder / self.name / name

    @property
    def log(self) -> str:
        """What its process has written."""
        return (self.node.folder / self.name / "log").read_text(encoding="utf-8", errors="replace")


@dataclass
class Node:
    """Runs pods of a cluster's manifests. A context: pods and networks are gone after it.

    Attributes:
        cluster: The manifests.
        secrets: Folder by Secret that is mounted.
        folder: An empty one.
    """

    cluster: Cluster
    secrets: Mapping[str, Path]
    folder: Path
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Node":
        number = os.getpid() + next(_NUMBERS)
        self._bridge = f"bankai{number % 1_000_000}"
        self._net = f"10.213.{number % 256}"
        _ip("link", "add", self._bridge, "type", "bridge")
        self._stack.callback(_ip, "link", "del", self._bridge)
        _ip("addr", "add", f"{self._net}.1/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        self._addresses = {name: f"{self._net}.{number}" for number, name in enumerate(PROCESSES, 2)}
        hosts = [f"{address} {name}.{NAMESPACE}.svc\n" for name, address in self._addresses.items()]
        (self.folder / "hosts").write_text("".join(["127.0.0.1 localhost\n", *hosts]), encoding="ascii")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, workload: Workload) -> Pod:
        """Starts a pod of a workload."""
        return self._run(workload, workload.server, self._addresses[workload.name])

    def initialise(self, workload: Workload, container: dict[str, Any]) -> Pod:
        """Starts a container of a workload that only starts; it has no network."""
        return self._run(workload, container, "")

    def _run(self, workload: Workload, container: dict[str, Any], address: str) -> Pod:
        name = f"{self._bridge}-{workload.name}-{container['name']}"
        bundle = self.folder / name
        bundle.mkdir()
        root = self._stack.enter_context(mounted(container["image"]))
        config = self._config(workload, container, root, bundle)
        namespaces = [{"type": each} for each in _NAMESPACES]
        namespaces.append({"type": "network"} | ({"path": self._network(name, address)} if address else {}))
        config["linux"]["namespaces"] = namespaces
        (bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")
        with (bundle / "log").open("wb") as log:
            process = subprocess.Popen(
                ["runc", "--root", str(self.folder / "runc"), "run", "--bundle", str(bundle), name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(self._end, process, name)
        return Pod(address, process, self, name)

    def _end(self, process: subprocess.Popen[bytes], name: str) -> None:
        if process.poll() is None:
            _do("runc", "--root", str(self.folder / "runc"), "delete", "--force", name)
            process.wait(30)

    def _config(self, workload: Workload, container: dict[str, Any], root: Path, bundle: Path) -> dict[str, Any]:
        """The pod as the OCI's runtime specification has it."""
        image = json.loads(buildah("inspect", "--type=image", container["image"]))["OCIv1"]["config"]
        context = workload.pod["securityContext"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        variables = self.cluster.environment(workload, {}) if container == workload.server else {}
        limit = int(amount(container["resources"]["limits"]["memory"]))
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": context["runAsUser"], "gid": context["runAsGroup"]},
                "args": container.get("command") or [*image["Entrypoint"], *image.get("Cmd", ())],
                "env": [*image["Env"], *(f"{name}={value}" for name, value in variables.items())],
                "cwd": image.get("WorkingDir") or "/",
                "capabilities": {kind: [] for kind in _CAPABILITIES},
                "noNewPrivileges": not container["securityContext"]["allowPrivilegeEscalation"],
            },
            "root": {"path": str(root), "readonly": container["securityContext"]["readOnlyRootFilesystem"]},
            "hostname": workload.name,
            "mounts": [
                *_MOUNTS,
                _bound("/etc/hosts", self.folder / "hosts"),
                *(self._mount(workload, mount, bundle) for mount in container["volumeMounts"]),
            ],
            "linux": {"resources": {"memory": {"limit": limit}}},
        }

    def _mount(self, workload: Workload, mount: dict[str, Any], bundle: Path) -> dict[str, Any]:
        """A volume of a pod, as runc mounts it."""
        group = workload.pod["securityContext"]["fsGroup"]
        volume: dict[str, Any] = next((each for each in workload.pod["volumes"] if each["name"] == mount["name"]), {})
        if "image" in volume:
            return _bound(mount["mountPath"], self._stack.enter_context(mounted(volume["image"]["reference"])))
        if "emptyDir" in volume or not volume:  # a claim is an empty disk at first
            place = bundle / mount["name"]
            if not place.exists():
                place.mkdir()
                size = f"size={int(amount(volume['emptyDir']['sizeLimit']))}," if volume else ""
                _do("mount", "-t", "tmpfs", "-o", f"{size}mode=2777,gid={group}", "tmpfs", str(place))
                self._stack.callback(_do, "umount", str(place))
            return _bound(mount["mountPath"], place, "ro" if mount.get("readOnly") else "rw")
        place = bundle / mount["name"]
        if "secret" in volume:
            shutil.copytree(self.secrets[volume["secret"]["secretName"]], place)
            for file in place.iterdir():
                os.chown(file, 0, group)
                file.chmod(volume["secret"]["defaultMode"])
        else:
            place.mkdir()
            for file, text in self.cluster.one("ConfigMap", volume["configMap"]["name"])["data"].items():
                (place / file).write_text(text, encoding="utf-8")
        return _bound(mount["mountPath"], place)

    def _network(self, name: str, address: str) -> str:
        """Makes a network namespace with an address on the bridge; returns its path."""
        end = f"{self._bridge}{address.rpartition('.')[2]}"
        _ip("netns", "add", name)
        self._stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", end, "master", self._bridge, "up")
        _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", name, "link", "set", link, "up")
        return f"/run/netns/{name}"


def _bound(place: str, source: Path, mode: str = "ro") -> dict[str, Any]:
    return {"destination": place, "type": "bind", "source": str(source), "options": ["bind", mode, "nosuid", "nodev"]}


def _ip(*words: str) -> None:
    _do("ip", *words)


def _do(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, (command, result.stderr)
