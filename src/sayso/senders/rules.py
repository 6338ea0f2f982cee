"""How fast, how much and to whom a number may send. Pure."""
