"""Envoy as a process of its own, in front of a gRPC service: what a proxy costs that knows nothing of banks."""

import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bankai.cli.connection import Connection
from bankai.cli.supervisor import ProcessSpec, Supervisor
from bankai.errors import UnavailableError
from bankai.loopback import HOST, free_ports
from benchmarks.command import say
from benchmarks.peer import Peer

NAME = "envoy"
PROGRAM = Path(__file__).resolve().parents[1] / ".bench" / "envoy" / "bin" / "envoy"
_TYPES = "type.googleapis.com/envoy.extensions"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@asynccontextmanager
async def running(backend: str) -> AsyncIterator[Peer]:
    """Starts Envoy with one worker on a free port of the loopback, and stops it at the end.

    Args:
        backend: host:port of the service behind it.

    Raises:
        UnavailableError: PEER_MISSING, before `make bench-envoy-peer`.
        FaultError: It died or did not get ready.
    """
    if not PROGRAM.exists():
        raise UnavailableError("PEER_MISSING", "there is no Envoy: run `make bench-envoy-peer`")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="bankai-bench-") as folder:
        file = Path(folder) / "envoy.json"
        file.write_text(json.dumps(_configuration(port, backend)), encoding="utf-8")
        command = [str(PROGRAM), "--config-path", str(file), "--concurrency", "1", "--log-level", "warning"]
        # It passes health checks on, too, and so counts as up once the service is reached.
        spec = ProcessSpec(NAME, command, {}, f"{HOST}:{port}")
        async with Supervisor([spec], lambda _name, _line: None) as supervisor:
            say("starting Envoy")
            await supervisor.started()
            yield Peer(Connection(spec.address), supervisor.pids())


def _configuration(port: int, backend: str) -> dict[str, Any]:
    """One listener, one route, one cluster; an access log line a call, as our gateway writes one."""
    host, _, backend_port = backend.rpartition(":")
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "grpc",
        "codec_type": "HTTP2",
        "access_log": [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": {"@type": f"{_TYPES}.access_loggers.file.v3.FileAccessLog", "path": "/dev/null"},
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "service", "timeout": "0s"}}],
                }
            ]
        },
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"}},
        ],
    }
    http2 = {
        "@type": f"type.googleapis.com/{_HTTP}",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": _address(HOST, port),
                    "filter_chains": [
                        {
                            "filters": [
                                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
                            ]
                        }
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "service",
                    "type": "STATIC",
                    "typed_extension_protocol_options": {
                        f"{_TYPES.split('/')[1]}.upstreams.http.v3.HttpProtocolOptions": http2
                    },
                    "load_assignment": {
                        "cluster_name": "service",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, int(backend_port))}}]}],
                    },
                }
            ],
        }
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
