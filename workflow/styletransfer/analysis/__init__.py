"""What results mean, in numbers: the front of content against style, and how well devices were used."""
