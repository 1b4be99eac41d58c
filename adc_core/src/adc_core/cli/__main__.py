"""`python -m adc_core.cli`: the same as `adc`."""

import sys

from adc_core.cli import main

sys.exit(main())
