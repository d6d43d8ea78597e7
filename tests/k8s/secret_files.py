"""What a bank would put into the Secrets that pods mount."""

from collections.abc import Mapping
from pathlib import Path

from bankai.vouching import new_key_pair
from gateway.audit.keys import write_new_key
from gateway.authn.api_keys import add_key, new_key
from tests.certificates import Authority
from tests.k8s.manifests import NAMESPACE, PROCESSES

_NAMES = ("gateway-keys", "gateway-vouching", "vouching-public", "gateway-audit")


def make_secrets(root: Path, channels: Mapping[str, Path]) -> Mapping[str, Path]:
    """Makes a folder for every Secret that is mounted.

    Args:
        root: A folder that is there.
        channels: Where to put the API key of a channel.

    Returns:
        Folder by Secret.
    """
    folders = {name: root / name for name in (*_NAMES, *(f"{name}-tls" for name in PROCESSES))}
    for folder in folders.values():
        folder.mkdir()
    for channel, file in channels.items():
        key, kept = new_key(channel)
        add_key(folders["gateway-keys"] / "keys.yaml", kept)
        file.write_text(key, encoding="ascii")
    private, public = new_key_pair()
    (folders["gateway-vouching"] / "vouching.pem").write_bytes(private)
    (folders["vouching-public"] / "vouching.pub.pem").write_bytes(public)
    write_new_key(folders["gateway-audit"] / "audit.pem", root / "audit.pub.pem")
    authority = Authority()
    for name in PROCESSES:
        pair = authority.issue(name, hosts=[f"{name}.{NAMESPACE}.svc"])
        for file_name, pem in (("tls.crt", pair.cert), ("tls.key", pair.key), ("ca.crt", authority.pem)):
            (folders[f"{name}-tls"] / file_name).write_bytes(pem)
    return folders
