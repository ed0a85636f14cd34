"""Tags: short descriptions of what is in a photograph, several an image."""
