"""`equivalence train`: the forms of a layer trained side by side on real images."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from properties.commands.arguments import AS_CLAIMED, INTERRUPTED, NOT_AS_CLAIMED, Commands, positive
from properties.commands.interruption import interruptible
from properties.experiments.conclusion import statements
from properties.experiments.images import SAMPLE, load, source
from properties.experiments.outcome import Outcome
from properties.experiments.picture import write_picture
from properties.experiments.plan import Experiment
from properties.experiments.progress import Progress
from properties.experiments.published import EXPERIMENTS, experiment_of_forms
from properties.experiments.results import write_results
from properties.experiments.table import lines
from properties.experiments.task import Task, check_forms
from properties.experiments.workers import trained
from properties.reading.claims import UsageError
from properties.report.files import ReportError
from properties.report.numbers import duration, plural

FOLDER = Path(".equivalence") / "train"
MOST_JOBS = 4
IMAGES = "mnist"
"""Which a claim's own forms are trained on, where none are named."""


def add(commands: Commands[Any]) -> None:
    """Add the command to the command line."""
    train = commands.add_parser("train", help="train the forms of a layer side by side on real images")
    train.set_defaults(run=train_forms)
    train.add_argument(
        "experiment",
        nargs="?",
        choices=[*EXPERIMENTS],
        help="the published experiment; of --forms: its images",
    )
    train.add_argument("--forms", metavar="CLAIM", help="the two forms of this claim instead: module:Class")
    train.add_argument("--at", default="", metavar="NAME=VALUE,…", help="of --forms: the fields, height=28,…")
    train.add_argument("--data", metavar="DIR", help="the four IDX files, plain or .gz (default: fetched)")
    train.add_argument("--epochs", type=positive, help="passes over the images (default: as published)")
    train.add_argument(
        "--seeds", type=positive, help="runs of every form (default: mnist 3, fashion-mnist 1)"
    )
    train.add_argument(
        "--jobs", type=positive, help="processes, one thread each (default: one a core, up to 4)"
    )
    train.add_argument(
        "--output", type=Path, metavar="DIR", help="(default: .equivalence/train/NAME, of it or the claim)"
    )
    train.add_argument("--resume", action="store_true", help="go on from the epochs that --output keeps")


def train_forms(options: argparse.Namespace) -> int:
    """Train, print and write what came of it; 0, or 1 where forms that were claimed equal part."""
    started = time.monotonic()
    experiment = _experiment(options)
    # Before any fetch: what is fetched has the size and the classes of the sample.
    check_forms(experiment, options.data or str(SAMPLE))
    outcome = Outcome(experiment, source(options.data, experiment.images))
    task = Task(experiment, outcome.source.folder, options.output or FOLDER / experiment.name)
    load(task.images)
    task.prepare()
    print(_header(outcome), flush=True)
    if not options.resume:
        _forget(task)
    trouble = _run(outcome, task, options)
    _report(outcome, task.output)
    if trouble:
        print(f"{trouble}: {_kept(outcome, task.output)}", file=sys.stderr)
        return INTERRUPTED if trouble == "interrupted" else NOT_AS_CLAIMED
    print(f"trained in {duration(time.monotonic() - started)}")
    return NOT_AS_CLAIMED if any(one.holds is False for one in statements(outcome)) else AS_CLAIMED


def _forget(task: Task) -> None:
    if deleted := task.forget():
        what = plural(deleted, "file")
        print(
            f"deleted the epochs of an earlier run, {what} in {task.output}: without --resume, all is anew\n"
        )


def _kept(outcome: Outcome, folder: Path) -> str:
    done = f"{len(outcome.epochs)} of {outcome.total} epochs are"
    if not outcome.epochs:
        return f"{done} done"
    return f"{done} kept in {folder}; the same command with --resume goes on from there"


def _experiment(options: argparse.Namespace) -> Experiment:
    if options.experiment is None and options.forms is None:
        message = (
            f"an experiment is one of {', '.join(EXPERIMENTS)}, or the forms of a claim; name one, or --forms"
        )
        raise UsageError(message)
    published = EXPERIMENTS[options.experiment or IMAGES]
    if options.forms is None and options.at:
        message = "--at is of --forms; a published experiment has sizes of its own"
        raise UsageError(message)
    chosen = experiment_of_forms(options.forms, options.at, published) if options.forms else published
    settings = replace(chosen.settings, epochs=options.epochs or chosen.settings.epochs)
    return replace(chosen, settings=settings, seeds=options.seeds or chosen.seeds)


def _run(outcome: Outcome, task: Task, options: argparse.Namespace) -> str:
    """Train until the end or until trouble, which it names; what is done is in the outcome."""
    progress = Progress(outcome)
    try:
        with interruptible() as check:
            for epoch in trained(task, options.jobs or min(os.cpu_count() or 1, MOST_JOBS)):
                outcome.epochs.append(epoch)
                progress.told(epoch)
                check()
    except KeyboardInterrupt:
        return "interrupted"
    except BrokenProcessPool:
        return "a process died"
    finally:
        progress.end()
    return ""


def _header(outcome: Outcome) -> str:
    experiment, settings = outcome.experiment, outcome.experiment.settings
    return (
        f"{experiment.title}\n{experiment.story}\n{outcome.source.told}\n"
        f"SGD, learning rate {settings.learning_rate}, batches of {settings.batch}, "
        f"{plural(settings.epochs, 'epoch')}, {plural(experiment.seeds, 'seed')}, cross entropy\n"
    )


def _report(outcome: Outcome, folder: Path) -> None:
    """Print and write what there is; a picture is left out, in one line, where matplotlib is missing."""
    if not outcome.epochs:
        return
    for line in lines(outcome):
        print(line)
    print()
    written = write_results(outcome, folder)
    try:
        written.append(write_picture(outcome, folder))
    except ReportError as error:
        print(f"no picture: {error}")
    print("written to " + ", ".join(map(str, written)))
