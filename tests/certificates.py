"""Authorities and certificates that tests make for themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A certificate chain and its private key, as PEM."""

    cert: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Writes both; returns (file of the chain, file of the key)."""
        cert, key = folder / f"{name}.pem", folder / f"{name}.key"
        cert.write_bytes(self.cert)
        key.write_bytes(self.key)
        return cert, key


class Authority:
    """A certification authority of its own."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._cert = (
            _builder(self._name, self._name, self._key, datetime.now(UTC) + _HOUR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self._cert.public_bytes(Encoding.PEM)

    def issue(
        self, name: str, *, hosts: Sequence[str] = ("localhost",), uris: Sequence[str] = (), lasts: timedelta = _HOUR
    ) -> Pair:
        """A certificate for 127.0.0.1 and hosts, which serves for servers and clients."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.IPAddress(ip_address("127.0.0.1")), *map(x509.DNSName, hosts)]
        names += [x509.UniformResourceIdentifier(uri) for uri in uris]
        cert = (
            _builder(subject, self._name, key, datetime.now(UTC) + lasts)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(cert.public_bytes(Encoding.PEM) + self.pem, pem)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _HOUR)
        .not_valid_after(until)
    )
