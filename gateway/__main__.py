"""Runs the gateway: `python -m gateway`, with its settings in BANKAI_GATEWAY_... variables."""

from bankai.process import main
from gateway.app import serve
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    main(GatewaySettings, "gateway", serve)
