"""Has a running Triton go over to the version that its repository names, by its model control API."""

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from bankai.errors import UnavailableError

_LOAD_S = 300.0
_ASK_S = 10.0


class TritonControl:
    """A Triton that runs with `--model-control-mode=explicit` on the same model repository.

    Args:
        url: host:port of its gRPC endpoint.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def load(self, name: str, version: int) -> None:
        """Loads what config.pbtxt names now. Requests in flight end on the version before, which is then released.

        Args:
            name: Name of the model.
            version: Version that must answer afterwards.

        Raises:
            UnavailableError: TRITON_LOAD_FAILED. Triton keeps serving what it served.
        """
        with InferenceServerClient(self._url) as client:
            try:
                client.load_model(name, client_timeout=_LOAD_S)
                if not client.is_model_ready(name, str(version), client_timeout=_ASK_S):
                    raise UnavailableError(
                        "TRITON_LOAD_FAILED",
                        f"Triton does not serve version {version} of {name}: does it read the same model repository?",
                    )
            except InferenceServerException as error:
                raise UnavailableError(
                    "TRITON_LOAD_FAILED", f"Triton does not load version {version} of {name}: {error.message()}"
                ) from None
