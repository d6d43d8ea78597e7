"""A toy intent model that knows a few keywords, in the shape of the real one."""

import json
from pathlib import Path

import numpy as np
from onnx import helper, numpy_helper
from tokenizers import Tokenizer, models

from services.intent.encoding import ngrams
from services.intent.ngrams import BUCKETS
from tests.bankai.inference.models import Model, Port

INTENTS = {
    "card_loss_report": ("挂失", "report a lost card"),
    "fraud_report": ("诈骗举报", "report a scam"),
    "service_complaint": ("服务投诉", "complain"),
    "human_agent": ("转人工", "speak to a human"),
    "chitchat": ("寒暄应答", "greeting"),
    "out_of_scope": ("范围外", "elsewhere"),
}
EMOTIONS = {
    "neutral": "平静",
    "satisfied": "满意感谢",
    "confused": "困惑",
    "anxious": "焦急担忧",
    "disappointed": "失望沮丧",
    "angry": "愤怒不满",
}
WORDS = {
    "丢": {"card_loss_report": 0.9, "anxious": 4.0, "intensity": 0.6},
    "诈": {"fraud_report": 0.95, "anxious": 4.0, "intensity": 0.8},
    "烂": {"service_complaint": 0.9, "angry": 5.0, "intensity": 0.9},
    "人": {"human_agent": 0.9},
    "谢": {"chitchat": 0.9, "satisfied": 4.0, "intensity": 0.5},
    "你": {"chitchat": 0.6},
    "猫": {"out_of_scope": 0.9},
}
COLUMNS = [*INTENTS, *EMOTIONS, "intensity"]


def write_models(repository: Path) -> Path:
    """Writes the models `intent` and `intent_partial` that find WORDS in a text."""
    table = np.zeros((BUCKETS, len(COLUMNS)), np.float32)
    for word, values in WORDS.items():
        row = ngrams(word)["ngram_ids"][0].tolist()
        # Of "^", "^x", "^x$", "x", "x$" and "$", the fourth is the word by itself.
        for column, value in values.items():
            table[row[3], COLUMNS.index(column)] = value
    table[ngrams("x")["ngram_ids"][0][0], [COLUMNS.index("out_of_scope"), COLUMNS.index("neutral")]] = 0.2, 2.0
    labels = {
        "model": "intent",
        "intents": [{"id": i, "zh": zh, "en": en, "covers": zh} for i, (zh, en) in INTENTS.items()],
        "emotions": [{"id": i, "zh": zh} for i, zh in EMOTIONS.items()],
        "holds_at": 0.5,
    }
    ngram = Port("ngram_ids", "INT64", (-1,))
    tokens = (Port("input_ids", "INT64", (-1,)), Port("attention_mask", "INT64", (-1,)))
    for name, inputs in (("intent", (*tokens, ngram)), ("intent_partial", (ngram,))):
        _model(name, inputs, table).write(repository)
        (repository / name / "1" / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}, unk_token="<unk>"))
    tokenizer.save(str(repository / "intent" / "1" / "tokenizer.json"))
    return repository


def _model(name: str, inputs: tuple[Port, ...], table: np.ndarray) -> Model:
    nodes = (
        helper.make_node("Gather", ["table", "ngram_ids"], ["rows"]),
        helper.make_node("ReduceMax", ["rows"], ["found"], axes=[1], keepdims=0),
        helper.make_node("Split", ["found", "sizes"], ["intent_probs", "emotions", "intensity"], axis=1),
        helper.make_node("Softmax", ["emotions"], ["emotion_probs"], axis=1),
    )
    sizes = np.array([len(INTENTS), len(EMOTIONS), 1], np.int64)
    outputs = (
        Port("intent_probs", "FP32", (len(INTENTS),)),
        Port("emotion_probs", "FP32", (len(EMOTIONS),)),
        Port("intensity", "FP32", (1,)),
    )
    constants = (numpy_helper.from_array(table, "table"), numpy_helper.from_array(sizes, "sizes"))
    return Model(name, nodes, inputs, outputs, constants=constants)
