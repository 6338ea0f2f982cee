"""Properties are judged by what they say, never by how long a shared machine takes to try them."""

from hypothesis import settings

settings.register_profile("sayso", deadline=None, print_blob=True)
settings.load_profile("sayso")
