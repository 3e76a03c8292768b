"""Which remedy against overfitting helps."""
