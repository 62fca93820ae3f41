"""The samples: photographs that the installed package scikit-image ships, and what identifies paintings."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from styletransfer.errors import InputError
from styletransfer.files import checks


@dataclass(frozen=True)
class Sample:
    """A free photograph that the installed package scikit-image ships."""

    file: str
    sha256: str
    attribution: str
    licence: str


# Attribution and licence as scikit-image states them in `skimage.data`.
SAMPLES = {
    "astronaut": Sample(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "Eileen Collins, NASA Great Images database (https://flic.kr/p/r9qvLn)",
        "public domain",
    ),
    "brick": Sample(
        "brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "brick wall, CC0Textures Bricks25 (https://cc0textures.com)",
        "CC0",
    ),
    "camera": Sample(
        "camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "photographer with camera, Lav Varshney",
        "CC0",
    ),
    "chelsea": Sample(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Chelsea the cat, Stefan van der Walt",
        "CC0",
    ),
    "coffee": Sample(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "coffee cup, Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "CC0",
    ),
    "grass": Sample(
        "grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
        "grass, linolafett (https://www.deviantart.com/linolafett/art/Grass-01-434853879)",
        "CC0",
    ),
    "gravel": Sample(
        "gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "gravel, CC0Textures Gravel04 (https://cc0textures.com)",
        "CC0",
    ),
    "hubble": Sample(
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "Hubble eXtreme Deep Field, NASA (http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/)",
        "public domain",
    ),
    "retina": Sample(
        "retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "human retina, Mikael Haggstrom (2014), WikiJournal of Medicine 1 (2), doi:10.15347/wjm/2014.008",
        "CC0",
    ),
    "rocket": Sample(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "launch of DSCOVR, SpaceX (https://www.flickr.com/photos/spacexphotos/16511594820)",
        "public domain",
    ),
}


# The pictures that `images.generated` paints. The version is raised whenever the pixels change: runs know them by it.
PAINTINGS = {"strokes": 1, "glass": 1, "candy": 1, "woodcut": 1, "watercolour": 1, "pencil": 1, "impasto": 1}


def recipe(name: str) -> str:
    """What identifies a painting's pixels, such as `strokes@1`. Raises `InputError` for an unknown name."""
    if name not in PAINTINGS:
        raise InputError(f"there is no painting {name!r}: choose one of {', '.join(PAINTINGS)}")
    return f"{name}@{PAINTINGS[name]}"


def sample(name: str) -> Sample:
    """The sample of that name, whether or not its package is installed. Raises `InputError` for an unknown name."""
    if name not in SAMPLES:
        raise InputError(f"there is no sample picture {name!r}: choose one of {', '.join(SAMPLES)}")
    return SAMPLES[name]


def sample_file(name: str) -> Path:
    """The file of a sample. Raises `InputError` for an unknown name, a missing package or another file."""
    known = sample(name)
    # Finding the package is not importing it, which would take a second.
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise InputError(f"sample {name!r} comes with the package scikit-image, which is not installed: install it")
    path = Path(package.origin).parent / "data" / known.file
    if not path.is_file() or checks.checksum(path) != known.sha256:
        raise InputError(f"{path} is not the picture it should be: install the pinned version of scikit-image")
    return path
