"""`make docs`: the documentation as a site to put anywhere, in English and in Polish."""
