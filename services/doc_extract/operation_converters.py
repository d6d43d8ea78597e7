"""Batches as the standard operations of google.longrunning."""

from google.longrunning import operations_pb2
from google.rpc import code_pb2, status_pb2

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import NotFoundError
from bankai.status import to_status
from bankai.timestamps import timestamp
from services.doc_extract.storage.operations import Member, Operation
from services.doc_extract.submission import State

_PREFIX = "operations/"


def operation_id(name: str) -> str:
    """The id of an operation, of its name.

    Raises:
        NotFoundError: OPERATION_NOT_FOUND.
    """
    if not name.startswith(_PREFIX):
        raise NotFoundError("OPERATION_NOT_FOUND", f'names of operations begin with "{_PREFIX}"')
    return name.removeprefix(_PREFIX)


def operation_message(operation: Operation) -> operations_pb2.Operation:
    """A batch as it is now."""
    members = operation.members
    message = operations_pb2.Operation(name=_PREFIX + operation.id, done=operation.done)
    message.metadata.Pack(
        pb.BatchExtractMetadata(
            documents=len(members),
            documents_done=sum(member.state in (State.DONE, State.FAILED) for member in members),
            pages_done=sum(member.pages_done for member in members),
            pages=sum(member.pages for member in members),
            create_time=timestamp(operation.created),
        )
    )
    if operation.cancelled:
        message.error.CopyFrom(status_pb2.Status(code=code_pb2.CANCELLED, message="the batch was cancelled"))
    elif operation.done:
        message.response.Pack(pb.BatchExtractResponse(outcomes=[_outcome(member) for member in members]))
    return message


def _outcome(member: Member) -> pb.DocumentOutcome:
    if member.failure is None:
        return pb.DocumentOutcome(request_id=member.request_id, result_id=member.document_id)
    return pb.DocumentOutcome(request_id=member.request_id, error=to_status(member.failure.to_error()))
