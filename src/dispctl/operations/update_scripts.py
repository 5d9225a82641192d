"""What `update_firmware` has the board do at its prompt: short MicroPython programs, and how their answers read.

The names that the first one defines are used by the others. A board that is left alone in the middle is restarted by
its watchdog and runs what it ran before.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from dispctl.errors import BoardSilentError
from dispctl.firmware import updater
from dispctl.operations.firmware_package import MANIFEST_PATH, PACKAGE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ALONE_MS = 60_000
DIGEST_BYTES = 9
"""Of a SHA-256: enough to tell versions of a file apart, and a quarter of the line's time."""
PIECE_BYTES = 3072
"""As base64 it is one string that the board's heap holds beside the file that it is a part of."""
PROGRAM_BYTES = 6144
"""Pieces are sent in programs of about this length; each costs a round trip."""
_WINDOW_BITS = 12
"""zlib's window; the board takes as much memory for unpacking: 4 KiB."""
ROOT_SUFFIX = ".root"
"""Marks files on their way to `/` in the folder of an update."""

SURVEY = f"""
import gc,io,json,machine,os,sys
from binascii import a2b_base64,b2a_base64,hexlify
from hashlib import sha256
gc.collect()
W=machine.WDT(timeout={ALONE_MS})
try:import deflate
except ImportError:deflate=None
B=bytearray(1024)
V=memoryview(B)
def L(f):
 try:return[e[0]for e in os.ilistdir(f)if e[1]&0x8000]
 except OSError:return[]
def D(p):
 W.feed()
 h=sha256()
 with open(p,"rb")as f:
  while True:
   n=f.readinto(B)
   if not n:return b2a_base64(h.digest()[:{DIGEST_BYTES}]).strip().decode()
   h.update(V[:n])
def M():
 try:
  with open("/{updater.FOLDER}/manifest.json")as f:return dict(json.load(f)["files"])
 except(OSError,ValueError,KeyError,TypeError):return{{}}
T={{"/{updater.FOLDER}/"+n:D("/{updater.FOLDER}/"+n)for n in L("/{updater.FOLDER}")}}
for n in L("/"):
 if n in("main.py","updater.py","updater.mpy"):T["/"+n]=D("/"+n)
S=os.statvfs("/")
m=M()
def O(p):return p in m and(p.startswith("{PACKAGE_FOLDER}")or hexlify(a2b_base64(T[p])).decode()==str(m[p])[:{2 * DIGEST_BYTES}])
print(json.dumps({{"files":T,"foreign":[p for p in T if not O(p)],"folders":[e[0]for e in os.ilistdir("/")if e[1]&0x4000],
"mac":":".join(["%02x"%b for b in machine.unique_id()]),"deflate":deflate is not None,"free":S[0]*S[3],
"micropython":os.uname()[2],"mpy":getattr(sys.implementation,"_mpy",0)&255}}))
"""

_PREPARE = f"""
def C(f):
 for n in L(f):os.remove(f+"/"+n)
 os.rmdir(f)
def X(f):
 r=os.listdir("/")
 if "{updater.TRASH}" in r:C("/{updater.TRASH}")
 if f in r:
  os.rename("/"+f,"/{updater.TRASH}")
  C("/{updater.TRASH}")
X("{updater.STAGED}")
X("{updater.NEXT}")
os.mkdir("/{updater.STAGED}")
if "{updater.FOLDER}" not in os.listdir("/"):os.mkdir("/{updater.FOLDER}")
P=[]
def A(s):P.append(a2b_base64(s))
def F(n,z):
 W.feed()
 r=io.BytesIO(b"".join(P))
 P.clear()
 if z:r=deflate.DeflateIO(r,deflate.ZLIB)
 with open("/{updater.STAGED}/"+n,"wb")as f:
  while True:
   k=r.readinto(B)
   if not k:break
   f.write(V[:k])
 gc.collect()
 print(n,D("/{updater.STAGED}/"+n))
"""


@dataclass(frozen=True)
class Survey:
    """What the board answered to `SURVEY`: digests by path, and what it is.

    `foreign` are those that others put there: its manifest, which is ours, does not list them or, outside of the package's
    folder, lists other contents.
    """

    digests: dict[str, str]
    foreign: frozenset[str]
    folders: frozenset[str]
    mac: str
    micropython: str
    can_unpack: bool
    free_bytes: int
    bytecode_version: int
    """What it loads, 0 for none."""


@dataclass(frozen=True)
class Changes:
    """What an update does: files it puts on the board (path to contents), and paths that it removes."""

    put: Mapping[str, bytes]
    removed: Sequence[str]

    def staged(self) -> dict[str, bytes]:
        """The folder of changes that the board is to get, by name in it."""
        gone = [path for path in self.removed if _in_package(path)]
        return {
            **{_name_staged(path): data for path, data in self.put.items()},
            **{_name_staged(path) + updater.GONE: b"" for path in gone},
        }


def read_survey(printed: str) -> Survey:
    """Raises BoardSilentError when the answer is garbled."""
    try:
        fields = json.loads(printed)
        return Survey(
            dict(fields["files"]), frozenset(fields["foreign"]) - {MANIFEST_PATH}, frozenset(fields["folders"]), str(fields["mac"]),
            str(fields["micropython"]), bool(fields["deflate"]), int(fields["free"]), int(fields["mpy"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise BoardSilentError("What the board says of its files is garbled.") from error


def digest(contents: bytes) -> str:
    """As the board tells a file's digest."""
    return b64encode(sha256(contents).digest()[:DIGEST_BYTES]).decode()


def staging(files: Mapping[str, bytes], *, packed: bool) -> Iterator[str]:
    """Programs that put `files` (name in the folder to contents) into the folder of the coming update.

    They print a line with name and digest for each file.
    """
    program = _PREPARE
    for statement in _statements(files, packed=packed):
        if len(program) + len(statement) > PROGRAM_BYTES and program:
            yield program
            program = ""
        program += statement
    yield program


def commit(changes: Changes) -> str:
    """The program that makes the staged files count, all by one rename.

    Files of `/` come first, one by one: they start the old version as well as the new one. One goes when what takes
    its place is there.
    """
    moves = [
        f'os.rename("/{updater.STAGED}/{path[1:]}{ROOT_SUFFIX}","{path}")\n'
        for path in sorted(changes.put, reverse=True)
        if not _in_package(path)
    ]
    removals = [f'os.remove("{path}")\n' for path in changes.removed if not _in_package(path)]
    return f'{"".join(moves + removals)}os.rename("/{updater.STAGED}","/{updater.NEXT}")'


def _statements(files: Mapping[str, bytes], *, packed: bool) -> Iterator[str]:
    for name, contents in files.items():
        data = _packed(contents) if packed else contents
        for start in range(0, len(data), PIECE_BYTES):
            yield f'A("{b64encode(data[start : start + PIECE_BYTES]).decode()}")\n'
        yield f"F({json.dumps(name)},{packed and bool(data)})\n"


def _in_package(path: str) -> bool:
    return path.startswith(PACKAGE_FOLDER)


def _name_staged(path: str) -> str:
    return path.removeprefix(PACKAGE_FOLDER) if _in_package(path) else path[1:] + ROOT_SUFFIX


def _packed(contents: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW_BITS)
    return packer.compress(contents) + packer.flush() if contents else b""
