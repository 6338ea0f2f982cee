"""Reading and checking template definitions. Pure."""
