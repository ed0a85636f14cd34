"""Faces: where they are, whose they are, what they show, and how to hide them."""
