"""Pictures as arrays: read and written, resized, recoloured; and the sample photographs and paintings."""
