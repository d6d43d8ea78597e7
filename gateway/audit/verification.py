"""Verifies an audit log from the first line to the last."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.files import chains_in, file_of, lines_of
from gateway.audit.keys import Verifier
from gateway.audit.lines import PRUNED, ROTATION, Line
from gateway.audit.links import Links, missing

_MAX_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with the log.

    Attributes:
        file: Name of the file.
        line: Line in it, from 1.
        sequence: Place in the chain, from 1.
        what: What is wrong, in a sentence.
    """

    file: str
    line: int
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: sequence {self.sequence}: {self.what}"


@dataclass
class Findings:
    """What was found.

    Attributes:
        chains: Number of chains.
        files: Number of their files.
        records: Number of records that are sound, checkpoints not counted.
        checkpoints: Number of signed checkpoints that are sound.
        first: Time of the earliest record; empty where there is none.
        last: Time of the latest record.
        unsigned: Records since the last checkpoint, by chain: what nothing but their chain vouches for.
        problems: What is wrong, the first thousand.
        problem_count: How much is wrong.
        set_aside: Files that hold lines cut short, which the gateway has set aside.
    """

    chains: int = 0
    files: int = 0
    records: int = 0
    checkpoints: int = 0
    first: str = ""
    last: str = ""
    unsigned: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    set_aside: list[str] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Takes up a problem."""
        self.problem_count += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)

    def count(self, line: Line) -> None:
        """Takes up a sound line."""
        if line.is_checkpoint:
            self.checkpoints += 1
            return
        self.records += 1
        time = line.record["time"]
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)


class Verification:
    """Reads a log once, line by line.

    Args:
        folder: Folder of the log.
        verifier: Checks signatures.
        kept: Checkpoints that were kept elsewhere, their signatures checked.

    Raises:
        OSError: The folder cannot be read.
    """

    def __init__(self, folder: Path, verifier: Verifier, kept: Sequence[Line] = ()) -> None:
        self._folder = folder
        self._verifier = verifier
        self._chains = chains_in(folder)
        self._kept: dict[str, dict[int, str]] = {}
        for line in kept:
            self._kept.setdefault(line.record["chain"], {})[line.sequence] = line.hash
        self.findings = Findings(
            chains=len(self._chains),
            files=sum(map(len, self._chains.values())),
            set_aside=sorted(file.name for file in folder.glob("*.torn")),
        )
        """What was found so far."""
        self.size = sum(file.stat().st_size for files in self._chains.values() for _, file in files)
        """Bytes to read."""

    def lines(self, advance: Callable[[int], None] = lambda _: None) -> Iterator[Line]:
        """Verifies, and yields the lines that hold what was written, chain by chain.

        Args:
            advance: Told of every line's bytes.

        Raises:
            OSError: A file cannot be read.
        """
        for chain, files in self._chains.items():
            links = Links(chain, self._verifier, from_start=files[0][0] == 1)
            reading = _ChainReading(self._folder, links, self._kept.get(chain, {}), self.findings)
            for number, file in files:
                reading.begin(number, file)
                for raw in lines_of(file):
                    line = reading.take(raw)
                    if line is not None:
                        yield line
                    advance(len(raw))
            reading.end()
            if links.unsigned:
                self.findings.unsigned[chain] = links.unsigned
        for chain in self._kept.keys() - self._chains.keys():
            name, sequence = file_of(self._folder, chain, 1).name, max(self._kept[chain])
            self.findings.add(Problem(name, 1, sequence, "the whole chain is missing: a checkpoint of it was kept"))


class _ChainReading:
    """Reads the files of one chain in their order.

    Args:
        folder: Folder of the log.
        links: Follows the chain.
        kept: Hashes of checkpoints that were kept elsewhere, by their place in the chain.
        findings: Takes up what is found.
    """

    def __init__(self, folder: Path, links: Links, kept: Mapping[int, str], findings: Findings) -> None:
        self._folder = folder
        self._links = links
        self._kept = dict(kept)
        self._findings = findings
        self._file = ""
        self._number = 0
        self._at = 0
        self._last: Line | None = None
        self._erased = _ErasedFiles()

    def begin(self, number: int, file: Path) -> None:
        """Begins the next file, which should be the next by its number."""
        if self._number and number == self._number + 1 and (self._last is None or not self._last.is_checkpoint):
            self._report("the file does not end with a checkpoint")
        if not self._number and number > 1:
            self._erased.begin(number, file.name)
            self._number = number - 1
        absent = range(self._number + 1, number)
        self._file, self._number, self._at, self._last = file.name, number, 0, None
        for each in absent:
            self._report(f"the file {file_of(self._folder, self._links.chain, each).name} before it is missing")

    def take(self, raw: bytes) -> Line | None:
        """Reads the next line; returns it where it holds what was written."""
        self._at += 1
        self._last, wrong = self._links.follow(raw)
        if self._last is not None:
            self._findings.count(self._last)
            if self._kept.pop(self._last.sequence, self._last.hash) != self._last.hash:
                wrong.append("it is another one than the checkpoint that was kept")
        for what in wrong:
            self._report(what)
        if self._last is not None:
            self._erased.take(self._last, sound=not wrong)
        return self._last

    def end(self) -> None:
        """Looks for what should follow."""
        for number, last in self._erased.unexplained():
            name = file_of(self._folder, self._links.chain, number).name
            self._findings.add(Problem(self._erased.first, 1, last, f"the file {name} before it is missing"))
            if last:
                self._findings.add(Problem(self._erased.first, 1, last, missing(1, last)))
        follows = file_of(self._folder, self._links.chain, self._number + 1).exists()  # made since the reading began
        if self._last is not None and self._last.record.get("why") == ROTATION and not follows:
            self._report("the file after it is missing")
        for sequence in sorted(each for each in self._kept if each > self._erased.until):
            if sequence > self._links.sequence:
                self._report(f"the log was cut off after it: a checkpoint of sequence {sequence} was kept")
            else:
                self._report(f"the checkpoint of sequence {sequence}, which was kept, is missing before it")

    def _report(self, what: str) -> None:
        self._findings.add(Problem(self._file, max(self._at, 1), self._links.sequence, what))


class _ErasedFiles:
    """Files that a chain begins without: erased because of their age, if a signed record of the chain says so."""

    def __init__(self) -> None:
        self.first = ""
        """Name of the first file that is there."""
        self.until = 0
        """Place of the last line that was erased; 0 while nothing says that one was."""
        self._number = 1
        self._before: tuple[int, str] | None = None
        self._said = False

    def begin(self, number: int, name: str) -> None:
        """Takes note of the first file that is there, which is not the chain's first."""
        self._number, self.first = number, name

    def take(self, line: Line, *, sound: bool) -> None:
        """Takes the chain's next line that holds what was written.

        Args:
            line: The line.
            sound: Whether it follows the one before, and is signed where it has to be.
        """
        if not self.first or self.until:
            return
        if self._before is None:
            self._before = (line.sequence - 1, line.record["previous"])
        elif line.record["event"] == PRUNED and line.record.get("file") == self._number - 1:
            self._said = sound and (line.record.get("last_sequence"), line.record.get("last_hash")) == self._before
        elif line.is_checkpoint and sound and self._said:
            self.until = self._before[0]

    def unexplained(self) -> Iterator[tuple[int, int]]:
        """Number of each file whose absence nothing explains; with the last one the place of its last line, else 0."""
        for number in range(1, 1 if self.until else self._number):
            yield number, self._before[0] if self._before and number == self._number - 1 else 0
