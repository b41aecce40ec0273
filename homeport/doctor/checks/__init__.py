"""One check per file. The file's name is the check's id, its docstring the help page."""
