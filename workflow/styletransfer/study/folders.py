"""Pairs of whole folders: `contents` and `styles` are names, files, folders or patterns; all go with all.

The names of pictures come from those of their files, and are part of what a run is. So a name never depends on which
other files there are: two files of one name are refused.
"""

from __future__ import annotations

import glob
import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from styletransfer.errors import InputError
from styletransfer.files import checks

# By what a file is taken for a picture; whether it is one is seen when it is opened.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".ppm", ".pgm", ".pnm")
MOST_NAMED = 5
LONGEST_NAME = 40


def expanded(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config in which each pair with `contents` is replaced by those that it stands for, and `images` has them all.

    Args:
        config: that fits the schema.

    Raises:
        InputError: for a folder without pictures, files that are none, and names that stand for two files.

    """
    images = dict(config.get("images", {}))
    pairs: list[dict[str, Any]] = []
    for position, pair in enumerate(config["pairs"]):
        key = f"pairs.{position}"
        if ("content" in pair) == ("contents" in pair):
            raise InputError(f"{key}: give it content, the name of a picture; or contents, such as photos/*, for many")
        if "content" in pair:
            pairs.append(pair)
            continue
        if "initial" in pair:
            raise InputError(f"{key}.initial is one picture, and contents are many: write a pair with content for it")
        contents, styles = (_named(f"{key}.{role}", pair[role], images) for role in ("contents", "styles"))
        pairs += [{"content": content, "styles": [style]} for content, style in itertools.product(contents, styles)]
    return {**config, "images": images, "pairs": pairs}


def _named(key: str, entries: Sequence[str], images: dict[str, dict[str, str]]) -> list[str]:
    """The names of the pictures that the entries stand for, each once; those of files are added to `images`."""
    names = []
    for position, entry in enumerate(entries):
        if entry in images:
            names.append(entry)
            continue
        for path in _pictures(f"{key}.{position}", entry):
            name = picture_name(path)
            if images.setdefault(name, {"path": path}) != {"path": path}:
                raise InputError(
                    f"{key}: {path!r} would be called {name}, as is {next(iter(images[name].values()))!r}. Rename one "
                    "of the files, or give it a name of its own under images"
                )
            names.append(name)
    return list(dict.fromkeys(names))


def _pictures(key: str, entry: str) -> list[str]:
    """The files that an entry stands for, by name. Hidden files and subfolders are left out."""
    try:
        if Path(entry).is_dir():
            found = [path for path in Path(entry).iterdir() if not path.name.startswith(".")]
        elif Path(entry).exists() or not glob.has_magic(entry):
            checks.check_input(entry, key)
            found = [Path(entry)]
        else:
            found = list(map(Path, glob.glob(entry, recursive=True)))  # noqa: PTH207 - Path's takes no absolute ones
        files = sorted((str(path) for path in found if not path.is_dir()), key=lambda path: (path.casefold(), path))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{key} is {entry!r}: it cannot be read ({reason}). Check the path") from error
    if not files:
        raise InputError(f"{key} is {entry!r}: there is no picture. Put some there, or check the path")
    others = [path for path in files if Path(path).suffix.lower() not in SUFFIXES]
    if others:
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        raise InputError(
            f"{key} is {entry!r}, and among its files are others than pictures: "
            f"{', '.join(others[:MOST_NAMED])}{more}. Move them away, or give a pattern such as "
            f"{Path(files[0]).with_name('*.jpg')}. Names of pictures end in "
            f"{', '.join(SUFFIXES)}"
        )
    return files


def picture_name(path: str | Path) -> str:
    """What the picture of a file is called: the file's name without its ending, in letters that a name may have."""
    plain = unicodedata.normalize("NFKD", Path(path).stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).lstrip("._-")[:LONGEST_NAME].rstrip("_")
    return name or "picture"
