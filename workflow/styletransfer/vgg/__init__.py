"""VGG-19: where weights are published, how their files are read, and what the network computes."""
