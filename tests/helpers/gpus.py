"""A machine that seems to have GPUs: a command `nvidia-smi` that lists some, and a folder of leases of its own."""

from __future__ import annotations

from pathlib import Path

import pytest


def fake_gpus(monkeypatch: pytest.MonkeyPatch, folder: Path, listing: int | str) -> list[str]:
    """Put a fake nvidia-smi first on PATH; returns the UUIDs. listing: how many GPUs, or what nvidia-smi prints."""
    uuids = [f"GPU-fake-{number}" for number in range(listing)] if isinstance(listing, int) else []
    lines = [f"GPU {number}: Fake (UUID: {uuid})" for number, uuid in enumerate(uuids)]
    (folder / "listing").write_text(listing if isinstance(listing, str) else "\n".join(lines) + "\n")
    smi = folder / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\nexec cat '{folder}/listing'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    # setenv first: what a lease leaves in the environment is gone after the test, too.
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("STYLETRANSFER_FAKE_GPUS", "1")  # they are taken for ones that TensorFlow can use
    monkeypatch.setenv("STYLETRANSFER_LEASES", str(folder / "leases"))
    return uuids
