"""Fuzz a reader of files from outside for a given time, guided by coverage. It needs the package atheris.

pip install atheris
python tests/fuzz/fuzz.py config --seconds 600    # or image, weights, record, state

It ends with the number of inputs, or with the input that gave something else than an `InputError`, kept in `--folder`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[2] / folder) for folder in ("workflow", "tests")]
with atheris.instrument_imports(
    include=["styletransfer", "yaml", "PIL", "scipy.io", "h5py", "jsonschema", "safetensors"]
):
    import targets


MEASURED = ("weights", "state")


def main() -> None:
    """Write the seeds, hand over to libFuzzer, which exits the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=targets.TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where inputs that found something new, and the bad one, are kept")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix=f"fuzz-{options.reader}-"))
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = targets.seeds(options.reader, folder)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed if options.reader not in MEASURED else bytes([number]) * 9)
    path = folder / "input"

    def one(data: bytes) -> None:
        # Readers in C show no coverage that would keep their files whole enough: damage is measured out to them.
        if options.reader in MEASURED:
            data = targets.damaged(seeds[data[0] % len(seeds)], data[1:]) if data else data
        path.write_bytes(data)
        targets.TARGETS[options.reader](path)
        if targets.CRASHES:
            (folder / f"crash-{abs(hash(data)):x}").write_bytes(targets.CRASHES.pop())

    limits = [
        "-len_control=0",
        f"-max_total_time={options.seconds}",
        "-rss_limit_mb=3000",
        "-max_len=100000",
        "-timeout=60",
    ]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/bad-", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
