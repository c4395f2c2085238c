"""What a loss of power leaves of files: only what was synced, and of the rest whatever pages.

`Hooks` take the place of the system calls that the journal makes, and note each in a log once it is
done. `Medium` reads the log and knows what the disk holds for certain; when the power fails it
makes files of it: every page of 4 KiB that was not synced is there in any of its versions, or not
at all; a file that was to grow or shrink may not have; a name may be the one before. Killing a
process loses nothing of that: what is not synced yet remains so, until a sync of the next one.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final
from zlib import crc32

PAGE: Final = 4096
_SUFFIXES: Final = (".seamark", ".new")
_FRAME: Final = struct.Struct("<4sII")  # mark, length, CRC
_MARK: Final = b"\xf0LOG"

Entry = tuple[Any, ...]


@dataclass(slots=True)
class _File:
    """A file as the disk holds it, and what was done to it since, in order."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Entry] = field(default_factory=list)

    def volatile(self) -> bytearray:
        """As processes see it."""
        image = bytearray(self.durable)
        for entry in self.pending:
            _apply(image, entry)
        return image

    def settle(self, number: int) -> None:
        """The first so many things that were done are on the disk."""
        for entry in self.pending[:number]:
            _apply(self.durable, entry)
        del self.pending[:number]

    def after_power_cut(self, rng: Random, kept: float) -> bytearray:
        """One of the many things that the disk may hold."""
        sizes = sum(entry[0] != "write" for entry in self.pending)
        sizes_kept = sizes if rng.random() < kept else rng.randint(0, sizes)
        versions: dict[int, int] = {}
        for entry in self.pending:
            if entry[0] == "write":
                for page in _pages(entry):
                    versions[page] = versions.get(page, 0) + 1
        chosen = {
            page: last if rng.random() < kept else rng.randint(0, last) if rng.random() < 0.3 else 0
            for page, last in versions.items()
        }
        longest = max([len(self.durable), *(entry[1] + len(entry[2]) for entry in self._writes())])
        size, image = len(self.durable), bytearray(self.durable) + bytes(longest)
        for entry in self.pending:
            if entry[0] != "write":
                if sizes_kept:
                    sizes_kept -= 1
                    size = entry[1] if entry[0] == "size" else max(size, entry[1])
                    if entry[0] == "size":
                        image[size:] = bytes(max(0, len(image) - size))
                continue
            _, offset, data = entry
            for page in _pages(entry):
                if chosen[page]:
                    chosen[page] -= 1
                    begin, end = (
                        max(offset, page * PAGE),
                        min(offset + len(data), (page + 1) * PAGE),
                    )
                    image[begin:end] = data[begin - offset : end - offset]
        return image[:size] + bytes(max(0, size - len(image)))

    def _writes(self) -> list[Entry]:
        return [entry for entry in self.pending if entry[0] == "write"]


def _pages(entry: Entry) -> range:
    _, offset, data = entry
    return range(offset // PAGE, (offset + len(data) - 1) // PAGE + 1)


def _apply(image: bytearray, entry: Entry) -> None:
    what, at = entry[0], entry[1]
    if what == "size":
        del image[at:]
    end = at + (len(entry[2]) if what == "write" else 0)
    image.extend(bytes(max(0, end - len(image))))
    if what == "write":
        image[at:end] = entry[2]


class Medium:
    """The disk under one directory; `read` the log of processes when they are dead."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: list[_File] = []
        self._by_ino: dict[int, int] = {}  # the file that has it now; numbers are used again
        self._names: dict[str, int] = {}  # for certain; of places in `files`
        self._renamings: list[dict[str, int]] = []  # what they were since, in order

    def read(self, log: list[Entry]) -> None:
        """Take in what a process, and those beside it, did before they died."""
        tickets: dict[Any, tuple[int, int]] = {}
        for what, *rest in log:
            if what == "open":
                name, ino, is_new = rest
                if is_new:
                    self._rename({**self._now(), name: self._new(ino)})
            elif what in ("write", "size", "grow"):
                self._files[self._by_ino[rest[0]]].pending.append((what, *rest[1:]))
            elif what == "sync":
                place = self._by_ino[rest[0]]
                tickets[rest[1]] = place, len(self._files[place].pending)
            elif what == "synced" and rest[0] in tickets:
                place, done = tickets.pop(rest[0])
                self._files[place].settle(done)
                tickets = {
                    key: (one, at - done if one == place else at)
                    for key, (one, at) in tickets.items()
                }
            elif what == "directory synced":
                self._names, self._renamings = self._now(), []
            elif what == "rename":
                names = dict(self._now())
                names[rest[1]] = names.pop(rest[0])
                self._rename(names)
            elif what == "unlink":
                self._rename({name: ino for name, ino in self._now().items() if name != rest[0]})

    def after_kill(self) -> None:
        """Only the process is dead: what it did last may not be in its log, but it was done."""
        found: dict[str, int] = {}
        for path in self._paths():
            ino = path.stat().st_ino
            found[path.name] = self._by_ino[ino] if ino in self._by_ino else self._new(ino)
        if found != self._now():
            self._rename(found)
        for name, place in found.items():
            file = self._files[place]
            data = (self._directory / name).read_bytes()
            known = file.volatile() if file.pending else file.durable
            if known != data:
                file.pending += [("size", len(data)), *_difference(known, data)]

    def after_power_cut(self, rng: Random) -> None:
        """Rewrite the files: the power has failed."""
        kept = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        states = [self._names, *self._renamings]
        names = states[-1] if rng.random() < kept else rng.choice(states)
        for path in self._paths():
            path.unlink()
        files, self._files = self._files, []
        self._names, self._renamings = {}, []
        self._by_ino.clear()
        for name, place in names.items():
            path, image = self._directory / name, files[place].after_power_cut(rng, kept)
            path.write_bytes(image)
            self._names[name] = self._new(path.stat().st_ino)
            self._files[-1].durable = image

    def _new(self, ino: int) -> int:
        self._by_ino[ino] = len(self._files)
        self._files.append(_File())
        return self._by_ino[ino]

    def _now(self) -> dict[str, int]:
        return self._renamings[-1] if self._renamings else self._names

    def _rename(self, names: dict[str, int]) -> None:
        self._renamings.append(names)

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._directory.iterdir() if path.suffix in _SUFFIXES)


def _difference(known: bytearray, data: bytes) -> Iterator[Entry]:
    known = known[: len(data)] + bytes(max(0, len(data) - len(known)))
    for at in range(0, len(data), PAGE):
        if known[at : at + PAGE] != data[at : at + PAGE]:
            yield "write", at, data[at : at + PAGE]


class Hooks:
    """System calls on journal files under a directory, noted by `note` when they are done."""

    def __init__(
        self,
        directory: Path,
        note: Callable[[Entry], None],
        before: Callable[[str], None] = lambda name: None,
        guard: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`before` is called with the name of each call, and may delay it or raise.

        Where several processes have hooks, no other one begins a sync in the `guard` of a write.
        """
        self._directory = str(directory)
        self._note = note
        self._before = before
        self._guard = guard
        self._inos: dict[int, int] = {}  # by descriptor
        self._directories: set[int] = set()
        self._others: set[int] = set()
        self._ends: dict[int, int] = {}  # of files that are written in one go
        self._tickets = count(1)
        self._real = {name: getattr(os, name) for name in _HOOKED}

    def descriptors(self) -> list[int]:
        """All that are open; who does not die with them has to close them."""
        return [*self._inos, *self._directories, *self._others]

    def install(self) -> None:
        """Take the place of the system calls, in the whole process."""
        for name in _HOOKED:
            setattr(os, name, getattr(self, name))

    def remove(self) -> None:
        """Give them back."""
        for name, real in self._real.items():
            setattr(os, name, real)

    def open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        fd: int = self._real["open"](path, flags, mode, **more)
        parent, name = os.path.split(os.fspath(path))
        if os.fspath(path) == self._directory:
            self._directories.add(fd)
        elif parent == self._directory and name.endswith(_SUFFIXES):
            self._inos[fd] = os.fstat(fd).st_ino
            self._note(("open", name, self._inos[fd], bool(flags & os.O_TRUNC)))
        elif parent == self._directory:
            self._others.add(fd)
        return fd

    def close(self, fd: int) -> None:
        self._inos.pop(fd, None)
        self._ends.pop(fd, None)
        self._directories.discard(fd)
        self._others.discard(fd)
        self._real["close"](fd)

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        if fd not in self._inos:
            return int(self._real["pwrite"](fd, data, offset))
        self._before("pwrite")
        with self._guard():
            done: int = self._real["pwrite"](fd, data, offset)
            self._note(("write", self._inos[fd], offset, bytes(data)[:done]))
        return done

    def write(self, fd: int, data: Any) -> int:
        done: int = self._real["write"](fd, data)
        if fd in self._inos:
            end = self._ends.get(fd, 0)
            self._note(("grow", self._inos[fd], end + done))
            self._note(("write", self._inos[fd], end, bytes(data)[:done]))
            self._ends[fd] = end + done
        return done

    def ftruncate(self, fd: int, size: int) -> None:
        if fd in self._inos:
            self._before("ftruncate")
        self._real["ftruncate"](fd, size)
        if fd in self._inos:
            self._note(("size", self._inos[fd], size))

    def posix_fallocate(self, fd: int, offset: int, size: int) -> None:
        self._before("posix_fallocate")
        self._real["posix_fallocate"](fd, offset, size)
        if fd in self._inos:
            self._note(("grow", self._inos[fd], offset + size))

    def fsync(self, fd: int) -> None:
        self._sync(fd, "fsync")

    def fdatasync(self, fd: int) -> None:
        self._sync(fd, "fdatasync")

    def rename(self, old: Any, new: Any) -> None:
        self._before("rename")
        self._real["rename"](old, new)
        if os.path.dirname(os.fspath(new)) == self._directory:
            self._note(("rename", os.path.basename(old), os.path.basename(new)))

    def unlink(self, path: Any, **more: Any) -> None:
        self._before("unlink")
        self._real["unlink"](path, **more)
        if os.path.dirname(os.fspath(path)) == self._directory:
            self._note(("unlink", os.path.basename(path)))

    def _sync(self, fd: int, name: str) -> None:
        """The disk itself is not waited for: what it holds is what the log says."""
        ticket = os.getpid(), next(self._tickets)
        if fd in self._inos:
            with self._guard():
                self._note(("sync", self._inos[fd], ticket))
            self._before(name)
            self._note(("synced", ticket))
        elif fd in self._directories:
            self._before(name)
            self._note(("directory synced",))
        else:
            self._real[name](fd)


_HOOKED: Final = (
    "open",
    "close",
    "pwrite",
    "write",
    "ftruncate",
    "posix_fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
)


class LogFile:
    """A log that outlives the processes that write it."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o640)
        self._write = os.write  # before it is hooked

    def note(self, entry: Entry) -> None:
        """One write; of a process that is killed meanwhile it may be there in part."""
        data = pickle.dumps(entry)
        self._write(self.fd, _FRAME.pack(_MARK, len(data), crc32(data)) + data)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """One process at a time; the system opens it for the others when its holder dies."""
        fcntl.lockf(self.fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.fd, fcntl.LOCK_UN)


def read_log(path: Path) -> list[Entry]:
    """What processes have noted, up to their death."""
    out: list[Entry] = []
    data = path.read_bytes()
    at = data.find(_MARK)
    while 0 <= at <= len(data) - _FRAME.size:
        _, length, crc = _FRAME.unpack_from(data, at)
        entry = data[at + _FRAME.size : at + _FRAME.size + length]
        is_whole = len(entry) == length and crc32(entry) == crc
        if is_whole:
            out.append(pickle.loads(entry))
        at = data.find(_MARK, at + (_FRAME.size + length if is_whole else 1))
    return out


@contextmanager
def hooked(hooks: Hooks) -> Iterator[Hooks]:
    """The hooks in their place for a while."""
    hooks.install()
    try:
        yield hooks
    finally:
        hooks.remove()
