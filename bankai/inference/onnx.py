"""The embedded backend: onnxruntime in this process."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from bankai.errors import BankaiError, DeadlineError, FaultError, NotFoundError, UnavailableError
from bankai.inference import failures
from bankai.inference.admission import admit
from bankai.inference.backend import InferenceResult, Tensor, Tensors
from bankai.inference.batching import Batcher
from bankai.inference.config import ModelConfig
from bankai.inference.metrics import counted
from bankai.inference.repository import ModelRepository
from bankai.inference.session import open_session

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Model:
    config: ModelConfig
    version: str
    batcher: Batcher


class OnnxBackend:
    """Runs the models of a repository in this process; implements `InferenceBackend`.

    A model is loaded the first time that it is asked for, or asked whether it is ready.

    Args:
        repository: Where the models lie.
        threads: Threads that onnxruntime uses within one run.
    """

    def __init__(self, repository: ModelRepository, *, threads: int = 1) -> None:
        self._repository = repository
        self._threads = threads
        self._models: dict[str, _Model] = {}
        self._loading: dict[str, asyncio.Task[_Model]] = {}
        self._closed = False

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # sent along
        """Runs one request; see `InferenceBackend.infer`."""
        with counted(model):
            loop = asyncio.get_running_loop()
            loaded = self._models.get(model)
            if loaded is None:
                start = loop.time()
                loaded = await self._load(model, timeout)
                timeout -= loop.time() - start
            rows, key = admit(loaded.config, inputs)
            outputs = await loaded.batcher.submit(inputs, rows=rows, key=key, timeout=timeout)
        return InferenceResult(outputs=outputs, version=loaded.version)

    async def ready(self, model: str) -> bool:
        """Whether the model can answer; loads it where it is not. Never raises."""
        try:
            await self._load(model)
        except BankaiError:
            return False
        return True

    async def close(self) -> None:
        """Answers what waits UnavailableError, lets what runs finish, and ends every thread."""
        self._closed = True
        if self._loading:
            await asyncio.wait(self._loading.values())
        await asyncio.gather(*(model.batcher.close() for model in self._models.values()))

    async def _load(self, name: str, timeout: float | None = None) -> _Model:  # noqa: ASYNC109  # others wait on
        if self._closed:
            raise failures.closed()
        if name in self._models:
            return self._models[name]
        task = self._loading.get(name)
        if task is None:
            # One task however many ask at once; it outlives the caller that started it, others may wait for it too.
            task = self._loading[name] = asyncio.create_task(self._open(name))
            task.add_done_callback(partial(self._loaded, name))
        done, _ = await asyncio.wait({task}, timeout=timeout)
        if not done:
            raise DeadlineError("DEADLINE_EXCEEDED", "the deadline passed before the model was loaded")
        return task.result()

    def _loaded(self, name: str, task: asyncio.Task[_Model]) -> None:
        del self._loading[name]
        if not task.cancelled():
            task.exception()  # marks it as seen, should every caller have left meanwhile

    async def _open(self, name: str) -> _Model:
        try:
            config, version, session = await asyncio.to_thread(self._open_session, name)
        except NotFoundError:
            raise NotFoundError("MODEL_NOT_FOUND", "the model is not in the repository") from None
        except FaultError as error:
            # The operator needs to know what is wrong with the file; the caller must not.
            _LOG.error("model_unavailable", model=name, reason=error.reason, problem=error.message)
            raise UnavailableError("MODEL_UNAVAILABLE", "the model cannot be loaded") from error
        outputs = [spec.name for spec in config.outputs]

        def run(inputs: Tensors) -> dict[str, Tensor]:
            return dict(zip(outputs, session.run(outputs, inputs), strict=True))

        batcher = Batcher(run, name=name, instances=config.instances, batching=config.batching, queue=config.queue)
        model = self._models[name] = _Model(config, version, batcher)
        return model

    def _open_session(self, name: str) -> tuple[ModelConfig, str, Any]:
        config = self._repository.config(name)
        folder = self._repository.version_dir(name)
        return config, folder.name, open_session(folder, config, threads=self._threads)
