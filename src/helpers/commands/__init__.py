"""Commands of ``study`` in files of their own: what they add to the parser, and calls."""
