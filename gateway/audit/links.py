"""Checks that the lines of one chain follow each other."""

from gateway.audit.keys import Verifier
from gateway.audit.lines import FIRST_HASH, Line, parse


class Links:
    """Follows a chain from line to line. After a fault it goes on from where the chain goes on.

    Args:
        chain: Id of the chain.
        verifier: Checks signatures.
        from_start: Whether the first line to come must be the first of the chain.
        any_key: Whether checkpoints of keys that the verifier does not know are taken as they are.
    """

    def __init__(self, chain: str, verifier: Verifier, *, from_start: bool, any_key: bool = False) -> None:
        self.chain = chain
        """Id of the chain."""
        self._any_key = any_key
        self._verifier = verifier
        self._known = from_start
        self.sequence = 0
        """Place of the last line in the chain; 0 before the first."""
        self.hash = FIRST_HASH
        """Its hash."""
        self.unsigned = 0
        """Records since the last checkpoint."""
        self._at_most: int | None = 0 if from_start else None

    def follow(self, raw: bytes) -> tuple[Line | None, list[str]]:
        """Takes the next line.

        Args:
            raw: The line with its line feed.

        Returns:
            The line, None where it is none or does not hold what was written, and what is wrong, in sentences.
        """
        try:
            line = parse(raw)
        except ValueError as error:
            return None, [f"this is {error}" if raw.endswith(b"\n") else "the line is cut short"]
        if not line.intact:
            # What it says of its place is worth nothing.
            self.sequence, self.hash = self.sequence + 1, line.hash
            return None, ["it was changed: its content does not have its hash"]
        wrong = [*self._misplaced(line), *self._unsigned(line)]
        self._known = True
        self.sequence, self.hash = line.sequence, line.hash
        return line, wrong

    def _misplaced(self, line: Line) -> list[str]:
        wrong = []
        if line.record["chain"] != self.chain:
            wrong.append("it belongs to another chain")
        if self._known:
            expected = self.sequence + 1
            if line.sequence > expected:
                wrong.append(missing(expected, line.sequence - 1))
            elif line.sequence < expected:
                wrong.append("it is repeated or out of order")
            elif line.record["previous"] != self.hash:
                wrong.append("the line before it was changed, as it does not have the hash that this one holds")
        return wrong

    def _unsigned(self, line: Line) -> list[str]:
        if line.is_checkpoint:
            key = str(line.record.get("key"))
            known = self._verifier.knows(key)
            if not known and not self._any_key:
                return [f"the checkpoint is signed with key {key!r}, which is not among the given keys"]
            if known and not self._verifier.accepts(key, line.body, line.signature):
                return ["the signature of the checkpoint is forged, or of other content"]
            self.unsigned = 0
            every = line.record.get("every")
            self._at_most = every if type(every) is int else None
            return []
        self.unsigned += 1
        if self._at_most is not None and self.unsigned > self._at_most:
            self._at_most = None  # said once until the next one
            return ["a checkpoint is missing before it"]
        return []


def missing(first: int, last: int) -> str:
    """That lines are not there, in a sentence of the line after them."""
    span = f"{first} is" if first == last else f"{first} to {last} are"
    return f"sequence {span} before it missing"
