"""Python imports this file by itself when its directory is on PYTHONPATH.

Without it the emulator waits about 40 ms (Nagle's algorithm) before many of its answers.
"""

import socketserver

socketserver.StreamRequestHandler.disable_nagle_algorithm = True
