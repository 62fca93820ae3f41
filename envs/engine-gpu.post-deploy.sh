#!/usr/bin/env bash
# As engine.post-deploy.sh; runs read no offline weights but those that a rule has prepared.
set -euo pipefail
ln -s "$STYLETRANSFER_ENGINE" "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/styletransfer"
command="$(dirname "$(command -v python)")/styletransfer"
printf '#!/usr/bin/env python\nfrom styletransfer.cli import main\n\nmain()\n' > "$command"
chmod +x "$command"
