"""Kernels as images: machine code that runs wherever it is copied to, so that LLVM is not needed to load it.

LLVM's library is half of a process's memory and a tenth of a second at worst, and what it does to load a kernel is
little: put sections next to each other and fill in distances. `link` does that once, when a kernel is compiled for
x86-64 Linux; `load` copies the bytes and fills in the addresses of the few C functions that are called.

An image has a header, the names of these functions, and the code: sections, a jump to each function, the addresses.
Whatever else object code may contain (writable data, absolute addresses, another format) is refused by `link`: such a
kernel is kept as object code, and thawed by LLVM.
"""

import ctypes
import functools
import mmap
import platform
import struct
import sys

from . import symbols

SUPPORTED = sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 2**32

# Of an image: offset of the loop, size of the code, offset of the addresses, length of the names.
_HEADER = struct.Struct("<IIII")

# <elf.h>
_ELF = b"\x7fELF\x02\x01"
_RELOCATABLE, _X86_64 = 1, 62
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_PROGBITS, _SYMTAB, _RELA = 1, 2, 4
_WRITE, _ALLOC, _TLS = 0x1, 0x2, 0x400
_UNDEFINED, _RESERVED = 0, 0xFF00
_PC32, _PLT32, _GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX = 2, 4, 9, 41, 42

# jmp *[rip + distance], and two bytes that are never run: as long as an address.
_JUMP, _NEVER = b"\xff\x25", b"\x0f\x0b"


class CannotLink(ValueError):
    """Object code contains what an image cannot have."""


# ---------------------------------------------------------------------------------------------------------------------
# Freeze


def link(code, symbol):
    """Turn object code into an image.

    Args:
        code: relocatable ELF for x86-64, compiled to be independent of its position.
        symbol: of the function that the image is for.

    Raises:
        CannotLink: it contains something else than code, constants, and calls of allowed functions.
    """
    if code[:6] != _ELF or struct.unpack_from("<HH", code, 16) != (_RELOCATABLE, _X86_64):
        raise CannotLink("not object code for x86-64")
    sections = _sections(code)
    image, placed = bytearray(), {}
    for index, section in enumerate(sections):
        if section.flags & _ALLOC and section.size and section.name != ".eh_frame":
            if section.type != _PROGBITS or section.flags & (_WRITE | _TLS):
                raise CannotLink(f"section {section.name} is not constant")
            _pad(image, section.align)
            placed[index] = len(image)
            image += code[section.offset : section.offset + section.size]
    table = next((section for section in sections if section.type == _SYMTAB), None)
    if table is None:
        raise CannotLink("no symbols")
    names = sections[table.link]
    found = [
        (_text(code, names.offset + name), section, value)
        for name, _, _, section, value, _ in _SYMBOL.iter_unpack(code[table.offset : table.offset + table.size])
    ]
    entry = next((placed.get(section, 0) + value for name, section, value in found if name == symbol and section), None)
    if entry is None:
        raise CannotLink(f"{symbol} is not defined")

    relocations = [
        (placed[section.info] + offset, info & 0xFFFFFFFF, found[info >> 32], addend)
        for section in sections
        if section.type == _RELA and section.info in placed
        for offset, info, addend in _RELOCATION.iter_unpack(code[section.offset : section.offset + section.size])
    ]
    externals = sorted({name for _, _, (name, section, _), _ in relocations if section == _UNDEFINED})
    foreign = [name for name in externals if name not in symbols.ALLOWED_SYMBOLS or symbols.address_of(name) is None]
    if foreign:
        raise CannotLink(f"names {foreign[0]!r}, which is unknown here")
    _pad(image, 8)
    jumps = {name: len(image) + 8 * k for k, name in enumerate(externals)}
    addresses = len(image) + 8 * len(externals)
    slots = {name: addresses + 8 * k for k, name in enumerate(externals)}
    for name in externals:
        image += _JUMP + struct.pack("<i", slots[name] - jumps[name] - 6) + _NEVER
    image += bytes(8 * len(externals))

    for place, kind, (name, section, value), addend in relocations:
        if section == _UNDEFINED:
            if kind in (_PC32, _PLT32):
                target = jumps[name]
            elif kind in (_GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX):
                target = slots[name]
            else:
                raise CannotLink(f"relocation {kind} of {name}")
        elif section in placed and kind in (_PC32, _PLT32):
            target = placed[section] + value
        else:
            raise CannotLink(f"relocation {kind} to section {section}")
        struct.pack_into("<i", image, place, target + addend - place)
    listed = ",".join(externals).encode()
    return _HEADER.pack(entry, len(image), addresses, len(listed)) + listed + image


class _Section:
    def __init__(self, code, values, name):
        _, self.type, self.flags, _, self.offset, self.size, self.link, self.info, self.align, _ = values
        self.name = name


def _sections(code):
    (start,) = struct.unpack_from("<Q", code, 40)
    size, count, names = struct.unpack_from("<HHH", code, 58)
    values = [_SECTION.unpack_from(code, start + size * k) for k in range(count)]
    return [_Section(code, one, _text(code, values[names][4] + one[0])) for one in values]


def _text(code, start):
    return code[start : code.index(b"\0", start)].decode()


def _pad(image, align):
    image += bytes(-len(image) % max(align, 1))


# ---------------------------------------------------------------------------------------------------------------------
# Thaw


def load(image):
    """Copy an image to memory of its own, which stays for the life of the process.

    Returns:
        The address of the loop.

    Raises:
        OSError: the system has no memory for it, or forbids memory that was written to be run.
    """
    entry, size, addresses, length = _HEADER.unpack_from(image)
    start = _HEADER.size + length
    names = image[_HEADER.size : start].decode()
    # A mapping of the entry's file would do without the copy, and crash when the file vanishes from a network.
    memory = _map(size)
    ctypes.memmove(memory, image[start:], size)
    if names:
        for k, name in enumerate(names.split(",")):
            ctypes.c_uint64.from_address(memory + addresses + 8 * k).value = symbols.address_of(name)
    _protect(memory, size)
    return memory + entry


# By the C library, as Python's own mapping ends with the interpreter, while a daemon thread may still run a kernel.
def _map(size):
    memory = _system().mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if memory == ctypes.c_void_p(-1).value:
        raise _error("no memory for a kernel")
    return memory


def _protect(memory, size):
    if _system().mprotect(memory, size, mmap.PROT_READ | mmap.PROT_EXEC):
        raise _error("memory of a kernel cannot be made executable")


def _error(text):
    number = ctypes.get_errno()
    return OSError(number, f"{text} (error {number})")


@functools.cache
def _system():
    library = ctypes.CDLL(None, use_errno=True)
    number, word, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p
    library.mmap.argtypes = [pointer, word, number, number, number, ctypes.c_long]
    library.mmap.restype = pointer
    library.mprotect.argtypes = [pointer, word, number]
    library.mprotect.restype = number
    return library
