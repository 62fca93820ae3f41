"""Print what a release changes: its section of CHANGELOG.md, once changelog and CITATION.cff both name its version."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from styletransfer.errors import InputError, command

UNRELEASED = "Unreleased"


def sections(changelog: str) -> dict[str, str]:
    """The text of each version, by its name, the newest first."""
    _, *parts = re.split(r"^## ", changelog, flags=re.MULTILINE)
    pairs = (part.partition("\n") for part in parts)
    return {head.split()[0]: body.strip() for head, _, body in pairs}


def newest(changelog: str) -> str:
    """The version that was released last; `unreleased` before the first."""
    return next((name for name in sections(changelog) if name != UNRELEASED), UNRELEASED.lower())


def notes(tag: str, changelog: str, citation: str) -> str:
    """What the release of a tag such as `v1.2.0` changes.

    Raises:
        InputError: for a tag that is not the newest version of the changelog, or not that of the citation.

    """
    version = tag.removeprefix("v")
    cited = "".join(re.findall(r"^version: (\S+)", citation, re.MULTILINE)) or "not given"
    for file, found in (("CHANGELOG.md", newest(changelog)), ("CITATION.cff", cited)):
        if found != version:
            raise InputError(
                f"the tag is {tag}, but the newest version in {file} is {found}: name {version} there first"
            )
    return sections(changelog)[version]


@command
def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag", help="such as v1.2.0")
    tag = parser.parse_args().tag
    print(notes(tag, *(Path(name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "CITATION.cff"))))


if __name__ == "__main__":
    sys.exit(main())
