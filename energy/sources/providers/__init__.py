"""One file per provider, each beginning with the contract of its interface.

`SOURCE` is its row of the catalogue. ``get_…`` asks and returns intervals that begin (weeks: that touch) [start, end), in
UTC; what is not published is absent. It raises SourceError of the kind that the server's answer has. ``parse_…`` is pure:
bodies to a labelled Dataset; it raises SourceError (fatal) where a body does not have the documented form or units.
"""
