"""The embedded backend: onnxruntime in this process."""

import asyncio
from dataclasses import dataclass
from functools import partial

import structlog

from bankai.errors import BankaiError, DeadlineError, FaultError, NotFoundError, UnavailableError
from bankai.inference import failures
from bankai.inference.admission import admit
from bankai.inference.backend import InferenceResult, Tensor, Tensors
from bankai.inference.batching import Batcher
from bankai.inference.config import ModelConfig
from bankai.inference.metrics import counted, version_refused, version_serves
from bankai.inference.opening import Opened, Successor, open_served
from bankai.inference.repository import ModelRepository

_LOG = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
"""Seconds between two looks at which version of a model the repository serves, at least."""


@dataclass
class _Model:
    """A loaded version; `look_at` is the loop's time from which on a look for its successor is due."""

    config: ModelConfig
    version: str
    batcher: Batcher
    successor: Successor
    look_at: float


class OnnxBackend:
    """Runs the models of a repository in this process; implements `InferenceBackend`.

    A model is loaded the first time that it is asked for, or asked whether it is ready. When the repository names
    another version later, requests go to that one as soon as it is loaded; those before end where they began. A version
    that cannot be loaded changes nothing but the log.

    Args:
        repository: Where the models lie.
        threads: Threads that onnxruntime uses within one run.
    """

    def __init__(self, repository: ModelRepository, *, threads: int = 1) -> None:
        self._repository = repository
        self._threads = threads
        self._models: dict[str, _Model] = {}
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[Batcher] = set()
        self._closed = False

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # sent along
        """Runs one request; see `InferenceBackend.infer`."""
        with counted(model):
            loop = asyncio.get_running_loop()
            loaded = self._models.get(model)
            start = loop.time()
            if loaded is None:
                loaded = await self._load(model, timeout)
                timeout -= loop.time() - start
            elif start >= loaded.look_at:
                self._look(model, loaded)
            # Nothing is awaited from here until the request is queued: its version cannot be closed in between.
            rows, key = admit(loaded.config, inputs)
            outputs = await loaded.batcher.submit(inputs, rows=rows, key=key, timeout=timeout)
        return InferenceResult(outputs=outputs, version=loaded.version)

    async def ready(self, model: str) -> bool:
        """Whether the model can answer; loads it where it is not. Never raises."""
        try:
            loaded = await self._load(model)
        except BankaiError:
            return False
        if asyncio.get_running_loop().time() >= loaded.look_at:
            self._look(model, loaded)
        return True

    async def close(self) -> None:
        """Answers what waits UnavailableError, lets what runs finish, and ends every thread."""
        self._closed = True
        await asyncio.gather(*(batcher.close() for batcher in self._leaving))
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
            task = asyncio.create_task(self._open(name))
            self._keep(name, task)
        done, _ = await asyncio.wait({task}, timeout=timeout)
        if not done:
            raise DeadlineError("DEADLINE_EXCEEDED", "the deadline passed before the model was loaded")
        task.result()
        return self._models[name]

    def _keep(self, name: str, task: asyncio.Task[None]) -> None:
        self._loading[name] = task
        task.add_done_callback(partial(self._loaded, name))

    def _loaded(self, name: str, task: asyncio.Task[None]) -> None:
        del self._loading[name]
        if not task.cancelled():
            task.exception()  # marks it as seen, should every caller have left meanwhile

    async def _open(self, name: str) -> None:
        try:
            opened = await asyncio.to_thread(open_served, self._repository, name, self._threads)
        except NotFoundError:
            raise NotFoundError("MODEL_NOT_FOUND", "the model is not in the repository") from None
        except FaultError as error:
            # The operator needs to know what is wrong with the file; the caller must not.
            _LOG.error("model_unavailable", model=name, reason=error.reason, problem=error.message)
            raise UnavailableError("MODEL_UNAVAILABLE", "the model cannot be loaded") from error
        self._serve(name, opened)

    def _serve(self, name: str, opened: Opened) -> None:
        config, session = opened.config, opened.session
        outputs = [spec.name for spec in config.outputs]

        def run(inputs: Tensors) -> dict[str, Tensor]:
            return dict(zip(outputs, session.run(outputs, inputs), strict=True))

        self._models[name] = _Model(
            config,
            opened.folder.name,
            Batcher(run, name=name, instances=config.instances, batching=config.batching, queue=config.queue),
            Successor(self._repository, name, opened.folder, self._threads),
            asyncio.get_running_loop().time() + LOOK_EVERY_S,
        )
        version_serves(name, opened.folder.name)

    def _look(self, name: str, loaded: _Model) -> None:
        """Looks for a version that is to take over, beside whatever else goes on."""
        loaded.look_at = asyncio.get_running_loop().time() + LOOK_EVERY_S
        if name not in self._loading and not self._closed:
            self._keep(name, asyncio.create_task(self._go_over(name, loaded)))

    async def _go_over(self, name: str, old: _Model) -> None:
        try:
            opened = await asyncio.to_thread(old.successor.look)
        except BankaiError as error:
            version_refused(name)
            _LOG.error(
                "model_version_refused", model=name, serving=old.version, reason=error.reason, problem=error.message
            )
            return
        if opened is None or self._closed:
            return
        self._serve(name, opened)
        _LOG.info("model_version_changed", model=name, before=old.version, now=opened.folder.name)
        self._leaving.add(old.batcher)
        await old.batcher.drain()
        self._leaving.discard(old.batcher)
