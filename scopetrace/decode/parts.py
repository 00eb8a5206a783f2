"""Kinds of parts as plain numbers: a member of an enumeration takes three times as long to find."""

from __future__ import annotations

from scopetrace.model.raw import Part

Parts = dict[int, bytes]
"""The parts of a record by their kind."""

ADDRESS = int(Part.ADDRESS)
ARGV = int(Part.ARGV)
CALLS = int(Part.CALLS)
CAPS = int(Part.CAPS)
CWD = int(Part.CWD)
DATA = int(Part.DATA)
EARLY = int(Part.EARLY)
ENVIRON = int(Part.ENVIRON)
EXE = int(Part.EXE)
EXCESS = int(Part.EXCESS)
FDINFO = int(Part.FDINFO)
FDS = int(Part.FDS)
HEAD = int(Part.HEAD)
HOLDER = int(Part.HOLDER)
HOW = int(Part.HOW)
IDS = int(Part.IDS)
LIMIT = int(Part.LIMIT)
LINK = int(Part.LINK)
LOCAL = int(Part.LOCAL)
LOCKS = int(Part.LOCKS)
MISSING = int(Part.MISSING)
MOUNTS = int(Part.MOUNTS)
NAME = int(Part.NAME)
NAME2 = int(Part.NAME2)
PATH = int(Part.PATH)
PATH2 = int(Part.PATH2)
PEER = int(Part.PEER)
ROOT = int(Part.ROOT)
SOCKET = int(Part.SOCKET)
SPACE = int(Part.SPACE)
STAT = int(Part.STAT)
STATUS = int(Part.STATUS)
STEP = int(Part.STEP)
TALLY = int(Part.TALLY)
TARGET = int(Part.TARGET)
VALUE = int(Part.VALUE)
