"""Kill the pipeline again and again; the next plain run must end as if nothing had happened.

A shrunk copy of the project runs once in peace. Then another copy is killed with SIGKILL at drawn
moments, by the clock or just after a change on the disk, and started again each time. Whenever a
run ends, its files, hashes, trained runs and MLflow runs must be those of the copy left in peace;
then everything it made is deleted and it starts from nothing.

    python -m tests.torture --kills 100 --seed 0 --minutes 30
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from tests.torture import state
from tests.torture.victim import Attempt, Victim

FINISH_SECONDS = 900
say = partial(print, flush=True)


def main() -> int:
    """Run the torture; 1 if anything differs from the copy that was left in peace."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option, default in (("--kills", 100), ("--seed", 0), ("--minutes", 30.0)):
        parser.add_argument(option, type=type(default), default=default)
    parser.add_argument("--target", default="", help="end at this stage, such as train@net1")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="convscope-torture-") as folder:
        torture = Torture(Path(folder), random.Random(asked.seed), asked.target)
        return torture.run(asked.kills, time.monotonic() + 60 * asked.minutes)


class Torture:
    """One copy left in peace, one that is not, and the count of what was done to it."""

    def __init__(self, folder: Path, chance: random.Random, target: str = "") -> None:
        self.chance, self.target = chance, target
        self.peaceful, self.victim = (Victim(folder / name) for name in ("calm", "victim"))
        self.killed: Counter[str] = Counter()
        self.finished = self.mended = 0
        self.wrong: list[str] = []

    def run(self, kills: int, deadline: float) -> int:
        """Kill so often, or until the deadline; then let it end, and say what came of it."""
        began = time.monotonic()
        code, output = self.peaceful.start(self.target).wait(FINISH_SECONDS)
        if code:
            say(f"FAILED: the undisturbed run ended with code {code}\n{output}")
            return 1
        stages = output.count("Running stage")
        pace = (time.monotonic() - began) / stages
        self.longest = min(3, stages) * pace
        self.calm = state.read(self.peaceful.folder)
        say(f"undisturbed: {time.monotonic() - began:.0f} s, {pace:.1f} s a stage")
        while not self.wrong and self.killed.total() < kills and time.monotonic() < deadline:
            self._attempt()
        if not self.wrong:
            self._judge(*self.victim.start(self.target).wait(FINISH_SECONDS))
        self.victim.end()
        return self._report(kills)

    def _attempt(self) -> None:
        """Start the pipeline and kill it, unless it ends before."""
        done = self.victim.finished_runs()
        attempt = self.victim.start(self.target)
        whom = self.chance.choice(["all", "all", "all", "all", "dvc", "stage", "trainer"])
        if self._moment(attempt, whom):
            stage, whom = attempt.stage(), attempt.kill(whom)
            self.killed[f"{stage}, killed: {whom}"] += 1
            left = self.victim.temporary()
            say(f"kill {self.killed.total()}: {stage}, killed: {whom}, left behind: {left or '-'}")
        code, output = attempt.wait(FINISH_SECONDS)
        self.mended += output.count("convscope: removed")
        if attempt.killed is None:
            self.longest *= 0.8  # the machine has become faster
        if attempt.killed is None or code == 0:
            self._judge(code, output)
        elif attempt.killed in ("stage", "trainer") and "Traceback" in output:
            self.wrong.append(f"a traceback after the kill of a {attempt.killed}:\n{output}")
        after = self.victim.finished_runs()
        again = [run for run in done if run in after and after[run] != done[run]]
        self.wrong += [f"finished run {run} was written again" for run in again]

    def _moment(self, attempt: Attempt, whom: str) -> bool:
        """Wait for a drawn moment, at which there is whom to kill; False if it ended before."""
        if whom == "trainer":  # which lives a second
            soon = self.chance.uniform(0, 0.5)
            return attempt.runs_until_trained() and attempt.runs_until(time.monotonic() + soon)
        until = time.monotonic() + self.chance.uniform(0, self.longest)
        if self.chance.random() < 0.5:
            return attempt.runs_until(until)
        changes = self.chance.randint(1, 12)
        jitter = self.chance.uniform(0, 0.02)
        return attempt.runs_until_changed(changes) and attempt.runs_until(time.monotonic() + jitter)

    def _judge(self, code: int, output: str) -> None:
        """Compare an ended run with the one left in peace, and start again from nothing."""
        if code:
            self.wrong.append(f"a plain run ended with code {code}:\n{output}")
            return
        self.victim.settle(FINISH_SECONDS)
        self.wrong += state.differences(self.calm, state.read(self.victim.folder))
        self.finished += 1
        say(f"end {self.finished}: {'as undisturbed' if not self.wrong else 'NOT as undisturbed'}")
        if not self.wrong:
            self.victim.empty()

    def _report(self, kills: int) -> int:
        say(f"{self.killed.total()} of {kills} kills, {self.finished} runs to the end:")
        for what, count in sorted(self.killed.items()):
            say(f"  {count:3d}  {what}")
        say(f"  {self.mended:3d}  times DVC had left a file half written")
        for line in self.wrong:
            say(f"FAILED: {line}")
        say("FAILED" if self.wrong else "every end was that of the undisturbed run")
        return 1 if self.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
