"""What `make demo` runs: the examples on real data, one after the other."""

import sys

import digits
import overfitting_digits

if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "demo-output"
    digits.main(folder)
    overfitting_digits.main(folder)
