"""`bankai eval intent`, `bankai eval calls` and `bankai eval text-intent`."""

from pathlib import Path
from typing import Annotated

import typer

from bankai.cli.connection import ApiKeyFileOption, ApiKeyOption, CaOption

INTENT_METRICS = (
    ("n", "utterances judged"),
    ("intent_top1", "the best intent is one of gold's"),
    ("intent_micro_f1", "intents that hold, over all labels at once"),
    ("intent_macro_f1", "the same, mean over gold's labels"),
    ("oos_auroc", "out of scope told from in scope, at any threshold"),
    ("oos_recall_at_5pct_fpr", "out of scope found, at 5 % false alarms"),
    ("ece", "distance of the best intent's probability from being right"),
    ("emotion_acc", "the likeliest emotion is gold's"),
    ("emotion_macro_f1", "the same as F1, mean over gold's labels"),
    ("p50_ms", "median time of an answer, one at a time"),
    ("p95_ms", "95th percentile of that"),
)
CALLS_METRICS = (
    ("n", "calls judged"),
    ("call_intent_acc", "the summary's main intent is gold's"),
    ("turn_emotion_macro_f1", "emotion of the caller's turns, F1, mean over gold's labels"),
    ("escalation_precision", "of the calls with escalation advised, those that ought to have it"),
    ("escalation_recall", "of the calls that ought to have it, those with escalation advised"),
    ("p50_ms", "median time from a caller's final segment to its answer"),
    ("p99_ms", "99th percentile of that"),
)
TEXT_METRICS = (
    ("n_train", "texts trained on"),
    ("n_test", "texts judged"),
    ("accuracy", "the category is gold's"),
    ("macro_f1", "F1, mean over gold's categories"),
    ("train_s", "seconds of training"),
)

RunningOption = Annotated[
    str | None,
    typer.Option(
        "--address", help="host:port of a running gateway to judge. Without it the models run in this process."
    ),
]


def eval_intent(
    file: Annotated[Path, typer.Argument(help='JSON lines {"text", "intents": [ids], "emotion": id or null}.')],
    address: RunningOption = None,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Judge intents and emotions on labelled utterances.

    Needs no running server. `bankai intents` lists the ids that labels may use. A line whose "intents" is empty is
    judged on its emotion only, one whose "emotion" is null on its intents only.

    \b
    Examples:
      bankai eval intent my-utterances.jsonl
      bankai eval intent my-utterances.jsonl --address gateway.bank.example:443 --ca ca.pem
      bankai eval intent my-utterances.jsonl | tail -1 | jq .intent_top1
    \b
    A line of the file:
      {"text": "卡丢了帮我冻上", "intents": ["card_loss_report"], "emotion": "anxious"}
    """
    import asyncio

    from bankai.cli.connection import connection
    from bankai.cli.report import report
    from services.intent.cli import judging
    from services.intent.evaluation.utterances import judge

    reached = connection(address, api_key, api_key_file, ca) if address else None
    report(judge(*asyncio.run(judging.utterances(file, reached))), INTENT_METRICS)


def eval_calls(
    file: Annotated[
        Path,
        typer.Argument(help='JSON lines {"turns": [{"speaker", "text", ...}], "call_intent", "should_escalate"}.'),
    ],
    address: RunningOption = None,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Judge main intent, emotion and escalation on labelled calls.

    Streams every call turn by turn through the real streaming rpc; without --address the service runs in this process,
    on the loopback.

    \b
    Examples:
      bankai eval calls my-calls.jsonl
      bankai eval calls my-calls.jsonl --address 127.0.0.1:50051
    \b
    A line of the file (one line; wrapped here):
      {"turns": [{"speaker": "agent", "text": "您好", "intents": [], "emotion": null},
                 {"speaker": "caller", "text": "卡丢了", "intents": ["card_loss_report"], "emotion": "anxious"}],
       "call_intent": "card_loss_report", "emotion_end": "neutral", "should_escalate": false}
    """
    import asyncio

    from bankai.cli.connection import connection
    from bankai.cli.report import report
    from services.intent.cli import judging
    from services.intent.evaluation.calls import judge

    reached = connection(address, api_key, api_key_file, ca) if address else None
    report(judge(*asyncio.run(judging.calls(file, reached))), CALLS_METRICS)


def eval_text_intent(
    train: Annotated[Path, typer.Option(help="CSV with the columns text and category to train on.")],
    test: Annotated[Path, typer.Option(help="CSV with the same columns to judge on.")],
    shots: Annotated[
        int | None, typer.Option(min=1, help="Train on this many texts per category, sampled with a fixed seed.")
    ] = None,
) -> None:
    """Judge the intent recipe on labelled texts of any kind.

    Trains it on one file and judges it on the other, for comparison with published tables such as BANKING77's. Needs
    the training extra: make setup-train.

    \b
    Examples:
      bankai eval text-intent --train train.csv --test test.csv
      bankai eval text-intent --train train.csv --test test.csv --shots 10
    """
    from bankai.cli.report import report
    from services.intent.cli.text_intent import train_and_judge

    report(train_and_judge(train, test, shots), TEXT_METRICS)
