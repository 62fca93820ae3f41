"""One run, from files to files: their names, its record, status, checkpoint and history, and the run itself."""
