"""The pictures of findings, each drawn on axes that it is given; matplotlib is imported only where it is used."""
