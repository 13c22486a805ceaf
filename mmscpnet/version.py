"""The version of mmscpnet, read by ``setup.py`` and at import."""

__version__ = '0.1.0'
