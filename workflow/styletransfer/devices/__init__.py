"""What computes: the lease of a device, how busy a GPU is, how a device rounds, and how TensorFlow starts on it."""
