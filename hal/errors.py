"""Errors of the hardware layer, in the words of the device."""


class HalError(Exception):
    """Root of all hardware errors; the message is a sentence a builder understands."""


class BoardError(HalError, ValueError):
    """A board file is wrong: the message names file, key and what would be right."""


class DeviceError(HalError, OSError):
    """A device cannot be opened or used."""


class DeviceGoneError(DeviceError):
    """A device that worked has vanished."""
