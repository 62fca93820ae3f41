"""A run as files: what it reads, what it writes, and under which names.

How it is computed is left to `transfer`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from styletransfer.errors import InputError
from styletransfer.settings import Settings

# The files that a run of a study keeps, in the run's own folder, by their names in `Outputs`.
RUN_LOG = "transfer.log"
# What the ruler has read of the picture, beside it: no part of the run, and made again where it is gone.
MEASURES = "measures.json"
RUN_FILES = {"image": "image.png", "losses": "losses.csv", "record": "run.json"}


@dataclass(frozen=True)
class Inputs:
    """The files a run reads. initial: only where it starts from a picture that is not the content."""

    content: Path
    styles: Sequence[Path]
    network: Path
    initial: Path | None = None


@dataclass(frozen=True)
class Outputs:
    """The files a run writes.

    Args:
        image: the picture with the lowest loss, in the colours that the settings say.
        losses: a CSV row per reported evaluation.
        record: all about the run, JSON.
        progress: the reference program's progress.txt.
        plot: a plot of it.
        exact: the picture with 16 bits a channel, a NumPy array of (H, W, 3) uint16.
        checkpoints: a pattern for pictures on the way, such as `step-{:05}.png`.
        checkpoint_iterations: the number of steps from one of these to the next.
    """

    image: Path
    losses: Path | None = None
    record: Path | None = None
    progress: Path | None = None
    plot: Path | None = None
    exact: Path | None = None
    checkpoints: str | None = None
    checkpoint_iterations: int | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> Outputs:
        """What a run of a study writes, under the names of `RUN_FILES`."""
        image, losses, record = (folder / name for name in RUN_FILES.values())
        return cls(image, losses, record)

    def named(self) -> list[Path]:
        """All files with a fixed name."""
        paths = (self.image, self.losses, self.record, self.progress, self.plot, self.exact)
        return [path for path in paths if path is not None]

    def results(self) -> list[Path]:
        """The files that hold the result: all but the record, which is about them."""
        return [path for path in self.named() if path != self.record]

    def checkpoint(self, iteration: int) -> Path | None:
        """Where the picture after that many steps goes, if it is to be kept."""
        if not self.checkpoints or not self.checkpoint_iterations or iteration % self.checkpoint_iterations:
            return None
        return Path(checkpoint_name(self.checkpoints, iteration)) if iteration else None


def state_file(record: Path) -> Path:
    """Where the state of a run is while it lasts. No output of a rule: Snakemake may remove those of a failed job."""
    return record.with_name(f"{record.stem}.state.npz")


def checkpoint_name(pattern: str, iteration: int) -> str:
    """The file name that a pattern gives: `{}` or `{:05}`, or `%s` or `%05d`, is replaced by the iteration.

    Raises `InputError` for a pattern without exactly one such place.
    """
    places = re.findall(r"\{(?::0?\d{0,2}d?)?\}|%0?\d{0,2}[ds]", pattern)
    if len(places) != 1:
        raise InputError(f"checkpoint pattern {pattern!r} needs one place for the iteration, such as step-{{:05}}.png")
    text = places[0].format(iteration) if places[0].startswith("{") else places[0] % iteration
    return pattern.replace(places[0], text)


@dataclass(frozen=True)
class Run:
    """One transfer: what it is, what it reads, what it writes."""

    settings: Settings
    inputs: Inputs
    outputs: Outputs


def check_outputs(outputs: Outputs, overwrite: bool, inputs: Inputs | None = None) -> None:
    """Raise `InputError` for files that exist and may not be replaced, that cannot be written, or whose names tell no
    format; also for two of one name, and for one that the run reads.
    """
    from styletransfer.images.io import check_suffix  # a study is planned without any library for pictures

    _check_names(outputs, inputs)
    existing = [str(path) for path in outputs.named() if path.exists()]
    if existing and not overwrite:
        raise InputError(f"{', '.join(existing)}: exists already. Choose another name, or use --overwrite")
    for path in outputs.named():
        if path in (outputs.image, outputs.plot):
            check_suffix(path)
    if outputs.checkpoints:
        check_suffix(Path(checkpoint_name(outputs.checkpoints, 0)))
        if not outputs.checkpoint_iterations:
            raise InputError(f"--checkpoint-output {outputs.checkpoints} needs --checkpoint-iterations as well")
    for path in outputs.named():
        check_place(path)


def _check_names(outputs: Outputs, inputs: Inputs | None) -> None:
    read = [] if inputs is None else [inputs.content, *inputs.styles, inputs.network, inputs.initial]
    known = {path.resolve(): "is read by this run" for path in read if path is not None}
    for path in outputs.named():
        if path.resolve() in known:
            raise InputError(f"{str(path)!r} is to be written, but {known[path.resolve()]}. Choose another name")
        known[path.resolve()] = "twice, with different content"


def check_place(path: Path) -> None:
    """Raise `InputError` for a file that cannot be written: not only when all has been computed."""
    if path.is_dir():
        raise InputError(f"{str(path)!r} is to be written, but is a folder. Name a file in it")
    place = next(folder for folder in path.absolute().parents if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"{str(path)!r} cannot be written: {str(place)!r} is not a folder that this user may write to")
