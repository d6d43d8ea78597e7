"""Asks a process for its health over TLS, for Kubernetes, whose own gRPC probes know no TLS.

`python -m bankai.probe 127.0.0.1:50061 --tls FOLDER --name NAME` exits with 0 where it serves, else with 1.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_TIMEOUT_S = 5.0


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("address", help="host:port of the gRPC server")
    parser.add_argument("--tls", type=Path, required=True, help="folder with ca.crt, tls.crt and tls.key")
    parser.add_argument("--name", required=True, help="name that the server's certificate must bear")
    parser.add_argument("--service", default="", help="full name of a service; the process as a whole unless given")
    options = parser.parse_args()
    problem = ask(options.address, options.tls, options.name, options.service)
    if problem:
        sys.exit(problem)


def ask(address: str, tls: Path, name: str, service: str) -> str:
    """Asks for the health of a service.

    Args:
        address: host:port of the gRPC server.
        tls: Folder with ca.crt, tls.crt and tls.key, as cert-manager lays them out.
        name: Name that the server's certificate must bear.
        service: Full name of the service; empty for the process as a whole.

    Returns:
        Why it is not healthy; empty where it is.
    """
    ca, key, cert = ((tls / file).read_bytes() for file in ("ca.crt", "tls.key", "tls.crt"))
    options = [("grpc.ssl_target_name_override", name)]
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, cert), options) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            return str(error.code().name)
    serving = health_pb2.HealthCheckResponse.SERVING
    return "" if answer.status == serving else str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


if __name__ == "__main__":
    main()
