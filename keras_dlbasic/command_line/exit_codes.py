"""What the command returns to the shell."""

FINE = 0
FOUND = 1
BAD_INPUT = 2
NOT_JUDGED = 3
CUT_OFF = 141  # what a shell reports for SIGPIPE

MEANING = (
    "Exit code: 0 nothing of the severity of --fail-on was found, 1 something was, 2 a "
    "file cannot be read or written or an argument is wrong, 3 nothing was found but "
    "decisive checks could not run. Of several runs the worst counts: 2, 1, 3, 0."
)

CONVERT_MEANING = (
    "Exit code: 0 the file was written, 2 a file cannot be read or written or an "
    "argument is wrong. Nothing is judged."
)

_BY_WEIGHT = (BAD_INPUT, FOUND, NOT_JUDGED, FINE)


def worst(codes: list[int]) -> int:
    """Return the exit code of several runs."""
    return min(codes, key=_BY_WEIGHT.index, default=FINE)
