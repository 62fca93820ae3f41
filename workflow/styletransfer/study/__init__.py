"""From a config to the runs of a study: the checked config, value specs, designs, pictures, and the rows."""
