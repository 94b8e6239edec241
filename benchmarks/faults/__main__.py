"""``python -m benchmarks.faults``: the kill matrix. Ends with 1 if anything is lost, different or left."""

import contextlib
import datetime as dt
import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import click

from benchmarks.faults.content import content, lost_and_left
from benchmarks.identity.report import circumstances, put_section
from pipelines.workspace import Workspace

PUBLISHED = (dt.date(2026, 10, 29), dt.date(2026, 10, 30))
KILLED = dt.date(2026, 10, 31)
BOUNDARIES, INSIDE = ("started", "succeeded"), ("touch", "statement")
PUBLISHING = ("release__", "share__")
_LONGEST_DELAY = 60  # milliseconds into a statement
_LONGEST_NIGHT = 1800  # seconds


@dataclass(frozen=True)
class Point:
    """One moment of the night, as ``doomed`` names it; ``place`` is its place among all that the night passes."""

    place: int
    step: str
    kind: str
    number: int
    milliseconds: int = 0

    @property
    def code(self) -> str:
        """How ``doomed`` is told."""
        return f"{self.step}:{self.kind}:{self.number}:{self.milliseconds}"

    @property
    def where(self) -> str:
        """What is counted together."""
        if self.kind in BOUNDARIES:
            return "at a boundary between assets"
        what = "before a change of a file" if self.kind == "touch" else "within a statement of DuckDB"
        return f"{what}, {'publishing' if self.step.startswith(PUBLISHING) else 'before publishing'}"


@dataclass
class Chain:
    """Nights of one home: killed at one point after the other, then left alone, then judged."""

    points: Sequence[Point]
    killed: list[Point] = field(default_factory=list)
    stuck: list[Point] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    queries: int = 0

    @property
    def wrong(self) -> list[str]:
        """What went wrong, each line with the points where this home's nights died."""
        died = ", ".join(point.code for point in self.killed)
        return [f"[{died}] {line}" for line in (*self.lost, *(f"different: {name}" for name in self.different))]


class Matrix:
    """A home after two nights, how its third goes undisturbed, and the chains of killed ones."""

    def __init__(self, folder: Path, parties: int, seed: int) -> None:
        self._folder = folder
        self._base = folder / "base"
        self._bank = folder / "bank"
        shutil.copytree(Path(__file__).parents[2] / "banks" / "sample", self._bank)
        settings = self._bank / "bank.yaml"
        # one release kept, and the one before it: the third night removes the first's
        settings.write_text(settings.read_text(encoding="utf-8").replace("keep: 7 ", "keep: 1 "), encoding="utf-8")
        _must(self.c360(self._base, "sample", "--parties", str(parties), "--days", "3", "--seed", str(seed)))
        _must(self.c360(self._base, "backfill", "--from", str(PUBLISHED[0]), "--to", str(PUBLISHED[1])))
        home = self._copy("undisturbed")
        note = folder / "points.jsonl"
        _must(self._doomed(home, note, "count"))
        self.expected = content(self._workspace(home))
        self.wrong = lost_and_left(self._workspace(home))
        passed = map(json.loads, note.read_text(encoding="utf-8").splitlines())
        self.passed = [Point(place, one["step"], one["kind"], one["number"]) for place, one in enumerate(passed)]

    def c360(self, home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line."""
        return _run("pipelines.cli", "--bank", str(self._bank), "--home", str(home), *words)

    def run(self, chain: Chain, number: int) -> Chain:
        """Kill the third night of a fresh home at each point, then let it finish, and judge what it came to."""
        home = self._copy(f"chain-{number}")
        note = self._folder / f"chain-{number}.jsonl"
        with _reading(home / "warehouse", chain):
            for point in chain.points:
                ended = self._doomed(home, note, point.code)
                if ended.returncode == -signal.SIGKILL:
                    chain.killed.append(point)
                elif ended.returncode:  # a night that lives has not passed the point, which is no fault
                    self._note_stuck(chain, ended)
            ended = self.c360(home, "run", "--date", str(KILLED))
            if ended.returncode:
                self._note_stuck(chain, ended)
        workspace = self._workspace(home)
        found = content(workspace)
        chain.lost += lost_and_left(workspace) + [f"{name} is missing" for name in self.expected if name not in found]
        chain.different += [n for n in found if found[n] != self.expected.get(n)]
        shutil.rmtree(home)
        click.echo(f"home {number}: {len(chain.killed)} kills, {len(chain.wrong)} wrong", err=True)
        return chain

    @staticmethod
    def _note_stuck(chain: Chain, ended: "subprocess.CompletedProcess[str]") -> None:
        chain.stuck += chain.killed[-1:]
        chain.lost.append(f"the night after the kill ended with {ended.returncode}: {_said(ended)}")

    def _doomed(self, home: Path, note: Path, point: str) -> "subprocess.CompletedProcess[str]":
        arguments = ["--bank", str(self._bank), "--home", str(home), "run", "--date", str(KILLED)]
        return _run("benchmarks.faults.doomed", str(home), str(note), point, *arguments)

    def _copy(self, name: str) -> Path:
        home = self._folder / name
        shutil.copytree(self._base, home, symlinks=True)
        return home

    def _workspace(self, home: Path) -> Workspace:
        return Workspace.open(str(self._bank), home)


@contextlib.contextmanager
def _reading(warehouse: Path, chain: Chain) -> Iterator[None]:
    """A process that opens the current release again and again, judges it, and tells what went wrong."""
    stop = warehouse.parent.with_suffix(".stop")
    command = ["nice", "-n", "19", sys.executable, "-m", "benchmarks.readers.reader", str(warehouse), str(stop)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own module
    try:
        yield
    finally:
        stop.touch()
        seen = Counter(json.loads(reader.communicate(timeout=120)[0] or "{}"))
    chain.queries = seen["queries"]
    if reader.returncode or seen["failed"] or seen["mixed"] or not seen["queries"]:
        chain.lost.append(f"a reader of the current release saw {dict(seen)}")


def chosen(passed: Sequence[Point], random_points: int, seed: int) -> list[Point]:
    """Every asset boundary once, as started and as succeeded in turn, and random moments.

    Of these a quarter each: touches of files and statements, in publishing (release and shares) and before it.
    """
    boundaries = [point for point in passed if point.kind in BOUNDARIES]
    # in pairs: a success and the start behind it are one boundary
    points = [boundaries[n + (n // 2) % 2] for n in range(0, len(boundaries) - 1, 2)]
    draw = random.Random(seed)  # noqa: S311 -- which moments: no secret
    for number, (kind, publishing) in enumerate(itertools.product(INSIDE, (False, True))):
        among = [p for p in passed if p.kind == kind and p.step.startswith(PUBLISHING) == publishing]
        for point in draw.sample(among, min((random_points + number) // 4, len(among))):
            delay = draw.randrange(_LONGEST_DELAY) if kind == "statement" else 0
            points.append(replace(point, milliseconds=delay))
    return points


def chains(points: Sequence[Point], length: int) -> list[Chain]:
    """The points dealt out to chains of about the same length, each in the order of the night."""
    ordered = sorted(points, key=lambda point: point.place)
    count = max(-(-len(ordered) // length), 1)
    return [Chain(ordered[number::count]) for number in range(count)]


def _run(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a module in a process group of its own; one that does not end is ended, and counts as failed."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        return subprocess.run(  # noqa: S603 -- our own module
            command, capture_output=True, text=True, check=False, start_new_session=True, timeout=_LONGEST_NIGHT
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"it did not end within {_LONGEST_NIGHT} seconds")


def _must(ended: "subprocess.CompletedProcess[str]") -> None:
    if ended.returncode:
        raise click.ClickException(f"{' '.join(ended.args)} ended with {ended.returncode}: {_said(ended)}")


def _said(ended: "subprocess.CompletedProcess[str]") -> str:
    return (ended.stdout + ended.stderr).strip()[-2000:]


@click.command()
@click.option("--parties", default=200, show_default=True, help="Party records of the sample bank.")
@click.option("--random", "random_points", default=40, show_default=True, help="Random moments in write and publish.")
@click.option("--seed", default=7, show_default=True, help="Of the sample bank and of the random moments.")
@click.option("--chain", "length", default=8, show_default=True, help="Kills of one home before it is judged.")
@click.option("--jobs", default=2, show_default=True, help="Homes at once.")
@click.option(
    "--slice", "part", default="1/1", show_default=True, help="Which part of the chains: 2/5 is the second of five."
)
@click.option("--json", "figures", type=click.Path(path_type=Path), help="File to write the figures to.")
@click.option("--page", type=click.Path(path_type=Path, exists=True), help="Markdown page to put the figures into.")
def main(
    parties: int,
    random_points: int,
    seed: int,
    length: int,
    jobs: int,
    part: str,
    figures: Path | None,
    page: Path | None,
) -> None:
    """Kill nights, restart them, compare what they come to with an undisturbed one."""
    nth, of = map(int, part.split("/"))
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        matrix = Matrix(Path(folder), parties, seed)
        points = chosen(matrix.passed, random_points, seed)
        todo = chains(points, length)[nth - 1 :: of]
        with ThreadPoolExecutor(jobs) as pool:
            done = list(pool.map(matrix.run, todo, range(len(todo))))
    told = [line for chain in done for line in chain.wrong]
    for line in matrix.wrong + told:
        click.echo(line, err=True)
    counted = _counted(done)
    lost = len(matrix.wrong) + sum(len(chain.lost) for chain in done)
    different = sum(len(chain.different) for chain in done)
    everything = counted["all"]
    result = f"{everything['kills']} kills, {everything['recoveries']} recoveries, {lost} lost, {different} different"
    command = f"python -m benchmarks.faults --parties {parties} --random {random_points} --seed {seed}"
    where = circumstances(command + (f" --slice {part}" if of > 1 else ""), ("duckdb", "dagster"))
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    table = _table(counted, sum(chain.queries for chain in done))
    text = f"{table}\n\n**{result}**\n\n`{where['command']}`, {where['date']}, {where['machine']}; {versions}."
    click.echo(text)
    if figures:
        told_all = {**where, "result": result, "kinds": counted, "chains": [asdict(chain) for chain in done]}
        figures.write_text(json.dumps(told_all, indent=2) + "\n", encoding="utf-8")
    if page:
        put_section(page, "faults", text)
    sys.exit(1 if lost or different else 0)


def _counted(done: Sequence[Chain]) -> dict[str, dict[str, int]]:
    """Kills and recoveries by where the night died, and of all.

    A kill is recovered from by the next night of its home, when that gets as far as its own kill, or to its end.
    """
    counted: dict[str, dict[str, int]] = {}
    for chain in done:
        for point in chain.killed:
            for name in (point.where, "all"):
                one = counted.setdefault(name, {"kills": 0, "recoveries": 0})
                one["kills"] += 1
                one["recoveries"] += point not in chain.stuck
    counted["all"] = counted.pop("all", {"kills": 0, "recoveries": 0})
    return counted


def _table(counted: Mapping[str, Mapping[str, int]], queries: int) -> str:
    lines = ["| killed | kills | recoveries |", "|---|---|---|"]
    lines += [f"| {name} | {one['kills']} | {one['recoveries']} |" for name, one in counted.items()]
    return "\n".join([*lines, "", f"Queries of readers of `current` meanwhile: {queries}."])


if __name__ == "__main__":
    main()
