"""A changed configuration file becomes a changed phone, by plan.

The file is read off the loop. What can change at once does; what needs an idle phone waits for it
and says so; what needs a restart is named.
"""

import logging

_LOG = logging.getLogger(__name__)
