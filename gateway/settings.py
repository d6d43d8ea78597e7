"""Settings of the gateway, from BANKAI_GATEWAY_... variables."""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from bankai.settings import Group, ProcessSettings, Seconds, ServerSettings, environment
from bankai.validation import first_problem
from bankai.vouching import read_private_key
from gateway.audit.settings import AuditSettings
from gateway.authn.api_keys import read_keys
from gateway.authn.settings import TokenSettings
from gateway.console.settings import ConsoleSettings
from gateway.http.settings import HttpSettings
from gateway.idempotency.settings import IdempotencySettings
from gateway.policy.loading import read_policy
from gateway.quota.settings import QuotaSettings
from gateway.routing.model import ROUTES, Routes


class BackendSettings(Group):
    """How the gateway reaches the services behind it.

    Attributes:
        ca: PEM file with the authorities that sign the services' certificates; None means plain text.
        cert: PEM file with the gateway's own certificate chain, shown to services that ask for one.
        key: PEM file with its private key.
        keepalive_s: Idle time after which a service is pinged; services allow a ping every two seconds.
        ping_timeout_s: Time without an answer to the ping after which the connection is given up.
        max_reconnect_s: Longest pause between two attempts to connect to an address.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    keepalive_s: Annotated[float, Field(ge=2, allow_inf_nan=False)] = 4.0
    ping_timeout_s: Seconds = 4.0
    max_reconnect_s: Seconds = 2.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key must be set together")
        if self.cert is not None and self.ca is None:
            raise ValueError("cert and key need ca")
        for file in (self.ca, self.cert, self.key):
            if file is not None and not file.is_file():
                raise ValueError(f"{file} is no file")
        return self


class GatewaySettings(ProcessSettings):
    """Settings of the gateway's process.

    Attributes:
        routes: Target or `gateway.routing.model.Route` by full name of the service, as JSON:
            {"bankai.intent.v1.IntentService": "dns:///intent:50061"}.
        routes_file: YAML file with the same, read again when it changes; `routes` has the last word.
        policy_file: Which channel may call what, see `gateway.policy.model`.
        keys_file: File of API keys, see `gateway.authn.api_keys`; without it none is accepted.
        tokens: Whose access tokens are accepted; without it none is.
        vouching_key: PEM file with the private key with which the gateway vouches for its calls to the services.
        backend: How the services are reached.
        audit: Where every call is recorded; nowhere while neither its folder nor its key is set.
        idempotency: Where the answers to calls with an idempotency key are kept; such calls are refused while nothing
            of this is set.
        quota: How the limits of channels are kept.
        http: The HTTP port.
        console: The pages for people on it.
    """

    model_config = environment("GATEWAY")

    server: ServerSettings = ServerSettings(listen="127.0.0.1:50051")
    routes: Routes = Field(default_factory=dict)
    routes_file: Path | None = None
    policy_file: Path
    keys_file: Path | None = None
    tokens: TokenSettings | None = None
    vouching_key: Path | None = None
    backend: BackendSettings = BackendSettings()
    audit: AuditSettings | None = None
    idempotency: IdempotencySettings | None = None
    quota: QuotaSettings = QuotaSettings()
    http: HttpSettings = HttpSettings()
    console: ConsoleSettings = ConsoleSettings()

    @field_validator("policy_file")
    @classmethod
    def _policy(cls, file: Path) -> Path:
        read_policy(file)
        return file

    @field_validator("keys_file")
    @classmethod
    def _keys(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_keys(file)
        return file

    @field_validator("vouching_key")
    @classmethod
    def _vouching_key(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_private_key(file)
        return file

    @field_validator("routes_file")
    @classmethod
    def _routes(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_routes(file)
        return file

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.route_table()
        if self.keys_file is None and self.tokens is None and self.server.tls.client_ca is None:
            raise ValueError("keys_file, tokens or server.tls.client_ca must be set, or nobody can call")
        return self

    def route_table(self) -> Routes:
        """The route of each service, by its full name.

        Raises:
            ValueError: The file cannot be read or is wrong, or there is no route at all.
        """
        table = (read_routes(self.routes_file) if self.routes_file else {}) | self.routes
        if not table:
            raise ValueError("routes or routes_file must name a service")
        return table


def read_routes(file: Path) -> Routes:
    """Reads a file of routes.

    Raises:
        ValueError: It cannot be read or an entry is wrong; the message says where.
    """
    try:
        return ROUTES.validate_python(yaml.safe_load(file.read_bytes()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{file} cannot be read as YAML: {type(error).__name__}") from None
    except ValidationError as error:
        raise ValueError(f"{file}: {first_problem(error)}") from None
