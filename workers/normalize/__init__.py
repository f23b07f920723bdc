"""Stage 1: raw platform orders become orders of our model."""
