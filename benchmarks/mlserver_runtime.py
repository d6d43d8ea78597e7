"""The intent model in MLServer, as its users write a custom runtime: texts in, probabilities out, batched adaptively.

Runs inside MLServer, in the environment of requirements/bench-mlserver.txt: nothing of ours but the text encoder.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from numpy.typing import NDArray

from services.intent.encoding import PAD_TOKEN, TextEncoder


class IntentRuntime(MLModel):  # type: ignore[misc]  # MLServer is not installed where types are checked
    """Serves one version folder of the model. Its parameters name the folder (`uri`) and `extra.instances`."""

    async def load(self) -> bool:
        """Opens the model."""
        folder = Path(self.settings.parameters.uri)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._encoder = TextEncoder(folder / "tokenizer.json")
        self._threads = ThreadPoolExecutor(self.settings.parameters.extra["instances"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answers a batch that MLServer has gathered."""
        texts = StringCodec.decode_input(payload.inputs[0])
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, texts)
        outputs = [NumpyCodec.encode_output(name, answer) for name, answer in zip(self._outputs, answers, strict=True)]
        return InferenceResponse(model_name=self.name, outputs=outputs)

    def _answer(self, texts: Sequence[str]) -> Any:
        rows = [self._encoder.full(text) for text in texts]
        return self._session.run(self._outputs, {name: _padded([row[name] for row in rows], name) for name in rows[0]})


def _padded(rows: Sequence[NDArray[np.int64]], name: str) -> NDArray[np.int64]:
    """Rows of any length as one batch: MLServer batches whatever comes, so all are as long as the longest."""
    longest = max(row.shape[1] for row in rows)
    batch = np.full((len(rows), longest), PAD_TOKEN if name == "input_ids" else 0, np.int64)
    for index, row in enumerate(rows):
        batch[index, : row.shape[1]] = row[0]
    return batch
