"""What the trials of a study found, with intervals."""
