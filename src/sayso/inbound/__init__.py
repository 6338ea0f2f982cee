"""The front door for Meta: take in durably, answer, then act."""
