"""One run, from files to files: where they lie, its record, status, checkpoint and history, and the run itself."""
