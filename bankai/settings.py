"""Typed settings of every process, read once from the environment at start.

A process derives one class from `ProcessSettings` and gives it its environment prefix:

    class IntentSettings(ProcessSettings):
        model_config = environment("INTENT")
        inference: InferenceSettings = InferenceSettings()

`BANKAI_INTENT_SERVER__LISTEN=127.0.0.1:50061` then sets `server.listen`. Anything wrong, unknown names included, stops
the start with the name of the variable.
"""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_NESTED = "__"
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]+):(\d{1,5})")
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_USERINFO = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")


def _address(value: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match[1]) > 65535:
        raise ValueError("must be host:port, e.g. 0.0.0.0:50061 or [::]:50061")
    return value


def _optional_address(value: str) -> str:
    return _address(value) if value else value


def _redis_url(url: SecretStr) -> SecretStr:
    value = url.get_secret_value()
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return url


Address = Annotated[str, AfterValidator(_address)]
OptionalAddress = Annotated[str, AfterValidator(_optional_address)]
OptionalRedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Group(BaseModel):
    """A group of settings; refuses names that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class TlsSettings(Group):
    """Files for TLS. All empty means plain text; `client_ca` on top asks clients for a certificate (mTLS).

    Attributes:
        cert: PEM file with the server's certificate chain.
        key: PEM file with its private key.
        client_ca: PEM file with the authorities that sign clients' certificates.
    """

    cert: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key must be set together")
        if self.client_ca is not None and self.cert is None:
            raise ValueError("client_ca needs cert and key")
        for file in (self.cert, self.key, self.client_ca):
            if file is not None and not file.is_file():
                raise ValueError(f"{file} is no file")
        return self


class ServerSettings(Group):
    """How a gRPC server listens and what it allows.

    Attributes:
        listen: host:port of the gRPC server; port 0 takes a free one.
        metrics_listen: host:port of the Prometheus endpoint; empty turns it off.
        tls: Certificate files.
        max_message_bytes: Largest message in either direction, in bytes.
        max_connection_age_s: Age at which a connection is asked to go, so that balancing reaches new servers.
        max_connection_age_grace_s: How long calls may go on after that; longer than the longest phone call.
        keepalive_s: Idle time after which the peer is pinged; clients may ping three times as often, and every two
            seconds in any case.
        drain_grace_s: How long calls in flight may go on after the first SIGTERM or SIGINT.
        max_concurrent_rpcs: Calls in flight, streams included, beyond which new ones are refused.
        default_deadline_s: Deadline of a unary call that came without one.
        reuse_port: Whether several processes may share the port (one process per core).
    """

    listen: Address = "127.0.0.1:50051"
    metrics_listen: OptionalAddress = ""
    tls: TlsSettings = TlsSettings()
    max_message_bytes: int = Field(default=4 * 1024 * 1024, gt=0)
    max_connection_age_s: Seconds = 1800.0
    max_connection_age_grace_s: Seconds = 3600.0
    keepalive_s: Seconds = 30.0
    drain_grace_s: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    max_concurrent_rpcs: int = Field(default=4000, gt=0)
    default_deadline_s: Seconds = 10.0
    reuse_port: bool = False


class LogSettings(Group):
    """What is logged and how.

    Attributes:
        level: Least severe level that is written.
        format: "json", "console", or "auto": console where stderr is a terminal.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class TelemetrySettings(Group):
    """Where traces go.

    Attributes:
        otlp_endpoint: URL of an OTLP/gRPC collector, e.g. http://otel:4317; empty turns spans off.
        sample_ratio: Share of new traces that are recorded, in [0, 1]; a caller's own decision is followed.
    """

    otlp_endpoint: str = ""
    sample_ratio: float = Field(default=1.0, ge=0, le=1)


class InferenceSettings(Group):
    """Which inference backend runs the models.

    Attributes:
        backend: "onnx" runs them in this process, "triton" on a Triton server.
        models_dir: The model repository.
        triton_url: host:port of Triton's gRPC endpoint.
        threads: Threads that onnxruntime uses within one run of a model in this process.
    """

    backend: Literal["onnx", "triton"] = "onnx"
    models_dir: Path = Path(__file__).resolve().parent.parent / "models"
    triton_url: Address = "127.0.0.1:8001"
    threads: int = Field(default=1, ge=1)


class ProcessSettings(BaseSettings):
    """What every process has. Derive one class per process and set `model_config = environment(...)`."""

    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    telemetry: TelemetrySettings = TelemetrySettings()


class ServiceSettings(ProcessSettings):
    """What every service behind the gateway has.

    Attributes:
        gateway_keys: PEM file with the public keys of the gateway, which `bankai gateway new-vouching-key` makes: calls
            that it did not vouch for are refused. Without it everybody is served, and only on loopback.
    """

    gateway_keys: Path | None = None

    @model_validator(mode="after")
    def _vouched(self) -> Self:
        host = self.server.listen.rpartition(":")[0]
        if self.gateway_keys is None and host not in _LOOPBACK:
            raise ValueError("gateway_keys must be set where the server listens beyond loopback")
        return self


def environment(process: str) -> SettingsConfigDict:
    """The configuration that reads a process's settings from BANKAI_<PROCESS>_<GROUP>__<NAME>."""
    return SettingsConfigDict(
        env_prefix=f"BANKAI_{process}_",
        env_nested_delimiter=_NESTED,
        extra="forbid",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )


Settings = TypeVar("Settings", bound=BaseSettings)


def load(cls: type[Settings], *, whole: bool = True) -> Settings:
    """Reads the settings of a process from the environment.

    Args:
        cls: Their class.
        whole: Whether these are all of the process's settings, so that any other variable of it is a mistake.

    Raises:
        SystemExit: With code 2, after one line on stderr for every variable that is wrong.
    """
    problems = _unknown_variables(cls) if whole else []
    try:
        settings = cls()
    except ValidationError as error:
        problems += [f"{_variable(cls, entry['loc'])}: {_sentence(entry['msg'])}" for entry in error.errors()]
    except SettingsError:
        problems.append(f"{cls.model_config.get('env_prefix', '')}*: a group that is set as a whole must be JSON")
    else:
        if not problems:
            return settings
    sys.stderr.writelines(f"settings: {problem}\n" for problem in problems)
    raise SystemExit(2)


def describe(settings: BaseModel) -> dict[str, Any]:
    """The settings as plain data to log at start: secrets and passwords inside URLs are masked."""
    masked: dict[str, Any] = _mask(settings.model_dump(mode="json"))
    return masked


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask(item) for item in value]
    return _USERINFO.sub("***@", value) if isinstance(value, str) else value


def _unknown_variables(cls: type[BaseSettings]) -> list[str]:
    prefix = str(cls.model_config.get("env_prefix", ""))
    known = {name.upper() for name in cls.model_fields}
    return [
        f"{name}: no such setting"
        for name in sorted(os.environ)
        if prefix and name.startswith(prefix) and name.removeprefix(prefix).split(_NESTED)[0].upper() not in known
    ]


def _variable(cls: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    return str(cls.model_config.get("env_prefix", "")) + _NESTED.join(str(part).upper() for part in location)


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Extra inputs are not permitted", "no such setting")
