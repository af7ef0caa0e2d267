"""The experiments, grouped by what breaks."""
