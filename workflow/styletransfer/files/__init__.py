"""Files: written whole or not at all, locked, checked, read as YAML, downloaded. What they hold is not known here."""
