"""deskphone: the phone, as layers that import only what is below them.

The map of the rooms is docs/architecture.md; the layer contracts stand in pyproject.toml.
"""

__version__ = "0.1.0"
