"""The one place that imports audioop: C arithmetic on 16-bit samples.

Python 3.11 and 3.12 carry audioop and warn that it leaves; from 3.13 on the package audioop-lts
brings the same module back. Every other module takes it from here, so that the warning is
silenced once and the day of a replacement has one address.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

__all__ = ["SAMPLE_BYTES", "audioop"]

SAMPLE_BYTES = 2
"""Width of a sample everywhere in the phone: 16 bit, signed, native byte order."""
