"""What a person cannot do, in words."""


class PhoneError(ValueError):
    """The person cannot do this; the words say why."""
