"""The label set, from the shipped model or from a running service."""

import grpc

from bankai.cli.connection import Connection
from bankai.inference.label_file import read_labels
from bankai.inference.repository import ModelRepository
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.settings import load
from services.intent.classifier import FULL_MODEL
from services.intent.converters import label_set
from services.intent.labels import Labels
from services.intent.settings import IntentSettings

TIMEOUT_S = 10.0


def shipped() -> pb.ListIntentsResponse:
    """What the model in the repository can tell apart.

    Raises:
        BankaiError: There is no model, or its labels cannot be read.
    """
    folder = ModelRepository(load(IntentSettings).inference.models_dir).version_dir(FULL_MODEL)
    return label_set(read_labels(folder, Labels), folder.name)


async def remote(connection: Connection) -> pb.ListIntentsResponse:
    """What a running service can tell apart.

    Raises:
        BankaiError: It does not answer.
    """
    async with connection.channel() as channel:
        return await listed(channel, connection)


async def listed(channel: grpc.aio.Channel, connection: Connection) -> pb.ListIntentsResponse:
    """The same over a channel that is open already.

    Raises:
        grpc.aio.AioRpcError: The service does not answer.
    """
    stub = intent_pb2_grpc.IntentServiceStub(channel)
    return await stub.ListIntents(pb.ListIntentsRequest(), metadata=connection.metadata, timeout=TIMEOUT_S)
