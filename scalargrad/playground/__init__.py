"""The playground: a page in which a model trains.   (floor 3)

The compiler writes loss, slopes and update as JavaScript. The scripts in `web` call them, draw what
the network computes, and let the reader change data, rate and weights.
"""

from __future__ import annotations

from .page import Playground, Scripts

__all__ = ["Playground", "Scripts"]
