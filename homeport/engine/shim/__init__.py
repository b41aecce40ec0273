"""The parent of one dyno's process: starts it, drains its output, keeps its exit code, outlives the daemon.

One runs per dyno, as a program of its own (`LAUNCH`), so this package needs nothing but the standard library and as
little of that as it can. `_socket`, `_signal` and `_ctypes` are the bare cores of modules whose public halves would
double the start-up time and add 2 MB to every dyno. The engine imports the package for its words and constants.

What to run, secrets included, comes through the socket: it is never in an argument, in our environment or on disk.
"""

LAUNCH = "import sys; sys.path.append(sys.argv[1]); from shim.loop import main; main(sys.argv[2])"
"""The program, for `python -I -S -E -c`. Arguments: the folder that holds this package; the dyno's folder, where
`started.json` and `exited.json` are written, each once and atomically. File descriptors: 0 a listening unix socket,
1 and 2 a log for failures of our own, 3 the claim on the dyno's port, if it has one."""
