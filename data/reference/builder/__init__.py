"""How the committed reference series are made from published raw material; see ../README.md."""
