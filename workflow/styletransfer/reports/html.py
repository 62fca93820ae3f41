"""What pages are made of: one frame with one style sheet and one policy, scripts that may run, pictures as text."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from PIL import Image

TEMPLATES = Path(__file__).parent / "templates" / "explorer"
# In place of a picture that is gone.
NO_PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

# Half the chroma resolution shows in pictures as colourful as these. On the demo's (192 px), at an SSIM of 0.96 to the
# PNG: AVIF 8.7 KiB and 26 ms, WebP 13.2 KiB, JPEG 12.5 KiB.
PICTURE_FORMAT: dict[str, Any] = {"format": "AVIF", "quality": 70, "speed": 8, "subsampling": "4:4:4", "max_threads": 1}


def render(template: str, scripts: Sequence[str], **context: Any) -> str:
    """A page of `TEMPLATES` on which these scripts run, and no other. Context is text, unless it is Markup."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["code"] = code
    return environment.get_template(template).render(
        style=Markup(source("page.css")),
        scripts=[Markup(script) for script in scripts],
        script_hashes=[script_hash(script) for script in scripts],
        **context,
    )


def code(text: str) -> Markup:
    """A text as HTML, where what stands between backticks is code."""
    parts = (
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(text.split("`"))
    )
    return Markup("").join(map(escape, parts))


def source(name: str) -> str:
    """A file of `TEMPLATES`."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def embedded(path: Path, width: int = 512) -> str:
    """A picture as a data URL, at most so wide."""
    return "data:image/avif;base64," + base64.b64encode(encoded(path, width)).decode()


def embedded_input(path: Path, width: int = 512) -> str:
    """An input as `embedded`; of one that is gone an empty picture."""
    return embedded(path, width) if path.exists() else NO_PICTURE


def encoded(path: Path, width: int) -> bytes:
    """A picture at most so wide, in `PICTURE_FORMAT`."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((width, 100 * width), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, **PICTURE_FORMAT)
    return buffer.getvalue()


def script_safe(data: Any) -> str:
    """JSON that cannot end the <script> element it stands in."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def script_hash(script: str) -> str:
    """What a content security policy calls a script that may run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
