"""What several tests share and pytest has no fixture for: makers of studies, files and machines, and measures."""
