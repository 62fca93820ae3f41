"""Build the container without a container engine: the Dockerfile's steps in a bare Debian, and a study in it.

It needs root on Debian, the package mmdebstrap, a gigabyte from the network and some minutes, so it is a command of its
own: `make containers`. It reads what pip needs here to reach its packages (settings, certificates) by --bind, and can
write to none of it: packages of the bare system replace files in /etc.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROOT = shutil.which("chroot") or "chroot"  # the bare system's own PATH would hide it
STUDY = """
study: contained
weights: vgg16
images: {photo: {sample: coffee}, art: {painting: strokes}}
pairs: [{content: photo, styles: [art]}]
defaults: {width: 48, iterations: 2}
vary: {style_weight: [20, 200]}
device: cpu
"""


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Each instruction with its words."""
    for line in dockerfile.splitlines():
        if line and not line.startswith("#"):
            name, _, words = line.partition(" ")
            yield name, words


class Bare:
    """A root file system with Debian's smallest set of packages.

    Args:
        folder: it, to be made.
        binds: what it reads of this machine: a path, or `path:path in it`.
        variables: of its environment.
    """

    def __init__(self, folder: Path, binds: list[str], variables: list[str]) -> None:
        self.folder = folder
        self.environment = {
            "HOME": "/root",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        self.environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self.environment |= dict(variable.split("=", 1) for variable in variables)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", folder], check=True)
        shutil.copy("/etc/resolv.conf", folder / "etc")
        self._mounted = [folder / "proc"]
        subprocess.run(["mount", "-t", "proc", "-o", "ro", "proc", folder / "proc"], check=True)
        for bind in binds:
            path, _, inside = bind.partition(":")
            self._show(Path(path), folder / (inside or path).strip("/"))

    def _show(self, path: Path, inside: Path) -> None:
        """Let it read a path of this machine, and no more."""
        (inside if path.is_dir() else inside.parent).mkdir(parents=True, exist_ok=True)
        if path.is_file():
            inside.touch()
        subprocess.run(["mount", "--bind", path, inside], check=True)
        self._mounted.append(inside)
        subprocess.run(["mount", "-o", "remount,bind,ro", inside], check=True)

    def run(self, command: str, folder: str = "/") -> None:
        """A shell command in it, as root."""
        words = f"mkdir -p {folder} && cd {folder} && {command}"
        subprocess.run([CHROOT, self.folder, "sh", "-ec", words], check=True, env=self.environment)

    def close(self) -> None:
        """Let go of what belongs to this machine."""
        for inside in reversed(self._mounted):
            subprocess.run(["umount", inside], check=True)


def build(bare: Bare, kind: str) -> tuple[str, list[str]]:
    """Follow the Dockerfile; the working folder and the command with which it ends."""
    folder, command = "/", []
    for name, words in instructions((ROOT / "containers/Dockerfile").read_text()):
        if name == "ARG":
            bare.environment |= {words.partition("=")[0]: kind}
        elif name == "ENV":
            bare.environment |= dict([words.split("=", 1)])
        elif name == "COPY":
            *sources, target = words.split()
            inside = bare.folder / target.strip("/")
            for source in map(ROOT.joinpath, sources):
                if source.is_dir():
                    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                    shutil.copytree(source, inside, symlinks=True, ignore=ignored)
                else:
                    inside.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, inside)
        elif name == "RUN":
            bare.run(words, folder)
        elif name == "WORKDIR":
            folder = words
        elif name == "CMD":
            command = [word.strip('", ') for word in words.strip("[]").split(",")]
        elif name != "FROM":
            raise SystemExit(f"this script does not know the instruction {name} of the Dockerfile")
    return folder, command


def main() -> None:
    """Build it, say its size, and run a study in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder for it, which must not be there; some gigabytes")
    parser.add_argument("--kind", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--bind", nargs="*", default=[], metavar="PATH[:INSIDE]", help="what it reads of this machine")
    parser.add_argument("--variable", nargs="*", default=[], metavar="NAME=VALUE", help="of its environment")
    options = parser.parse_args()
    begin = time.monotonic()
    bare = Bare(options.folder.absolute(), options.bind, options.variable)
    try:
        folder, command = build(bare, options.kind)
        print(f"built in {(time.monotonic() - begin) / 60:.1f} minutes")
        own = [bare.folder / name for name in ("usr", "var", "opt/venv", "opt/styletransfer")]
        subprocess.run(["du", "--summarize", "--total", "--human-readable", *own], check=True)
        (bare.folder / folder.strip("/")).mkdir(exist_ok=True)
        (bare.folder / folder.strip("/") / "study.yaml").write_text(STUDY)
        words = [*command[:-1], "study.yaml"]
        bare.run(shlex.join(words), folder)
        explorer = bare.folder / folder.strip("/") / "results/studies/contained/explorer/index.html"
        if not explorer.exists():
            raise SystemExit("the study has no explorer")
        print(f"the study is computed: {explorer}")
    finally:
        bare.close()


if __name__ == "__main__":
    sys.exit(main())
