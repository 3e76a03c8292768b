"""An error of data that were read on behalf of the user."""


class DataFailedError(Exception):
    """Raised from the error that reading a batch raised, which is the user's."""
