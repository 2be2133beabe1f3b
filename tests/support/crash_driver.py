"""Makes runs fail at chosen steps, and resumes them: `python -m tests.support.crash_driver SPEC`, in forked children.

SPEC is JSON: `folder`, an empty one; `part`, "whole" for the whole job or "tail" for what follows the plan of the
mixture (index, order, shards, manifest, verdict); `cases`, pairs [act, step] of `failpoints`, where "every" stands for
all steps of a run, "every 8" for each eighth, and a fraction for that part of them; the act "moment" is SIGKILL after
that fraction of a run's time. `again`: whether the resumed run dies too, at the step after. Writes one JSON line per
case.
"""

import contextlib
import importlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from polyculture.errors import ConfigError, PolycultureError, RunInUseError
from polyculture.steps.jobs import curate, parts
from polyculture.storage.run_directory import is_intact
from polyculture.text.categories import format_characters
from polyculture.text.language import identify_language
from polyculture.text.shingles import kernel_tables
from schemas.manifest import Manifest
from tests.support.corpora import tree_digests, unique_texts, write_config, write_jsonl_gz
from tests.support.failpoints.sitecustomize import RECORD, Failpoints
from tests.support.make_run import run_here

CODES = ((RunInUseError, 5), (ConfigError, 2), (PolycultureError, 1))
STANDING = (
    *((parts, name) for name in ("add_attributes", "shingle", "deduplicate", "write_report")),
    *((curate, name) for name in ("clear_outputs", "write_removed", "plan_mixture", "measure")),
)


class Driver:
    def __init__(self, folder: Path, part: str) -> None:
        self.folder, self.part = folder, part
        folder.mkdir(exist_ok=True)
        self.config = self._corpus()
        self.prepared = folder / "prepared"
        self.number = 0
        if part == "tail":
            self._prepare()

    def _corpus(self) -> Path:
        write_jsonl_gz(self.folder / "pages.jsonl.gz", unique_texts(90, 1))
        write_jsonl_gz(self.folder / "samples.jsonl.gz", unique_texts(40, 2))
        sources = [("pages", "web"), ("samples", "synthetic")]
        return write_config(
            self.folder,
            {
                "name": "tiny",
                "sources": [
                    {"name": name, "kind": kind, "paths": [f"{name}.jsonl.gz"], "language": "en"}
                    for name, kind in sources
                ],
                "shards": {"max_shard_bytes": 28_000, "batch_rows": 20},
                "measure": {"probes": 50},
            },
        )

    def _prepare(self) -> None:
        """A run that stopped before its mixture was written."""

        def stop(*_: object) -> None:
            os._exit(0)

        def run() -> None:
            curate.write_mixture = stop  # type: ignore[assignment]
            run_here(self.config, self.prepared)

        assert in_child(run, self.folder / "prepare.log") == 0, (self.folder / "prepare.log").read_text()

    def fresh(self) -> Path:
        self.number += 1
        out = self.folder / f"run-{self.number}"
        if self.part == "tail":
            shutil.copytree(self.prepared, out)
        return out

    def run(
        self, out: Path, act: str | None = None, at: int | None = None, seconds: float | None = None
    ) -> tuple[int, str, list[str]]:
        """Exit code (negative: the signal), message and steps of a run, which is killed after some seconds if given."""
        trace, log = out.with_suffix(".trace"), out.with_suffix(".log")
        trace.unlink(missing_ok=True)

        def run() -> None:
            if self.part == "tail":
                for module, name in STANDING:
                    setattr(module, name, lambda *_, **__: None)
            Failpoints({"root": str(out), "trace": str(trace), "at": at, "act": act or ""}).install()
            run_here(self.config, out)

        code = in_child(run, log, seconds)
        data = trace.read_text() if trace.exists() else ""
        steps = [data[i : i + RECORD].strip() for i in range(0, len(data), RECORD)]
        return code, log.read_text(), steps

    def cases(self, wanted: list[list[Any]], again: bool) -> Iterator[dict[str, Any]]:
        whole = self.fresh()
        start = time.monotonic()
        code, message, steps = self.run(whole)
        duration = time.monotonic() - start
        assert code == 0, message
        expected = tree_digests(whole)
        yield {"steps": steps, "files": len(expected)}
        for act, which in wanted:
            for at in [0] if act == "moment" else places(which, steps, act):
                out = self.fresh()
                if act == "moment":
                    code, message, _ = self.run(out, seconds=which * duration)
                else:
                    code, message, _ = self.run(out, act, at)
                listed = is_listed_whole(out)
                if again:
                    self.run(out, "kill", at + 1)
                    listed = listed and is_listed_whole(out)
                last, why, _ = self.run(out)
                yield {
                    "act": act,
                    "at": at,
                    "step": f"{which:.3f} of a run" if act == "moment" else steps[at],
                    "after": len(steps) - at - 1,
                    "code": code,
                    "message": message,
                    "is_listed_whole": listed,
                    "resumed": last,
                    "why": why,
                    "is_identical": tree_digests(out) == expected,
                    "leftovers": [path.name for path in out.rglob(".tmp-*")],
                }
                shutil.rmtree(out)


def places(which: object, steps: list[str], act: str) -> list[int]:
    """The steps that a case names; writes alone can be torn or short."""
    fit = [i for i, step in enumerate(steps) if act not in ("torn", "short") or step.startswith("write ")]
    if isinstance(which, str) and which.startswith("every"):
        return fit[:: int(which.removeprefix("every").strip() or 1)]
    if isinstance(which, float):
        return [fit[int(which * len(fit))]]
    return [int(str(which))]


def is_listed_whole(out: Path) -> bool:
    """Whether every file that a manifest lists is whole; no manifest lists none."""
    path = out / "manifest.json"
    if not path.exists():
        return True
    manifest = Manifest.model_validate_json(path.read_bytes())
    return len(manifest.files) > 0 and all(is_intact(out, file) for file in manifest.files)


def in_child(function: Callable[[], None], log: Path, seconds: float | None = None) -> int:
    """Run in a forked child that ends as the command line would; its exit code, or the signal that killed it."""
    log.touch()
    child = os.fork()
    if child == 0:
        code = 1
        with log.open("w") as out:
            try:
                function()
                code = 0
            except (PolycultureError, OSError) as error:
                out.write(f"{type(error).__name__}: {error}")
                code = next((number for kind, number in CODES if isinstance(error, kind)), 1)
            except BaseException:  # noqa: BLE001 -- a child must never come back
                traceback.print_exc(file=out)
                code = 99
        os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # not yet waited for, so it is still there
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def warm_up() -> None:
    """What each run would work out or load for itself first, and what starts no thread: children inherit it."""
    importlib.import_module("pandas")
    kernel_tables()
    format_characters()
    identify_language("A few words of English.")


def main() -> None:
    warm_up()
    spec = json.loads(sys.argv[1])
    driver = Driver(Path(spec["folder"]), spec["part"])
    with contextlib.suppress(BrokenPipeError):
        for result in driver.cases(spec["cases"], spec.get("again", False)):
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
