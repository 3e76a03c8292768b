"""`python -m keras_dlbasic` is the command `keras-dlbasic`."""

import sys

from keras_dlbasic.command_line import main

if __name__ == "__main__":
    sys.exit(main())
