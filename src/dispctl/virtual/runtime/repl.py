"""The two REPLs on the UART: the friendly one, and the raw one (with raw-paste) that tools speak to."""

from runtime import console, system
from runtime.execution import SoftReset, run

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = 1, 2, 3, 4, 5
TAB, LINE_FEED, CARRIAGE_RETURN, SPACE = 9, 10, 13, 32
RUBOUTS = (8, 127)
LEAVE = "leave"
SOFT_RESET = "soft reset"

_WINDOW = 128
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_END = b"\x04"
_PASTE_REQUEST = b"\x05A"
_TRIPLE_QUOTES = ('"""', "'''")


def raw_session():
    """Serve the raw REPL until Ctrl-B (`LEAVE`) or a Ctrl-D with nothing before it (`SOFT_RESET`)."""
    console.write_raw(_RAW_BANNER)
    while True:
        console.write_raw(b">")
        program = _read_program()
        if program is LEAVE:
            console.write_raw(b"\r\n")
            return LEAVE
        if program == b"":
            console.write_raw(b"OK\r\n")
            return SOFT_RESET
        if program:
            console.write_raw(b"OK")
            _run_raw(program)


def _read_program():
    """Bytes up to Ctrl-D; `LEAVE` on Ctrl-B; None when what was typed has been dealt with."""
    program = bytearray()
    while True:
        byte = console.read_byte()
        if byte == CTRL_A:
            return _answer_ctrl_a(program)
        if byte == CTRL_B:
            return LEAVE
        if byte == CTRL_D:
            return bytes(program)
        if byte == CTRL_C:
            program = bytearray()
        else:
            program.append(byte)


def _answer_ctrl_a(typed):
    if typed == _PASTE_REQUEST:
        _paste()
    elif typed[:1] == _PASTE_REQUEST[:1]:
        console.write_raw(b"R\x00")
    else:
        console.write_raw(_RAW_BANNER)


def _paste():
    """Raw-paste mode: the sender may be one window ahead, and each 0x01 grants it another."""
    console.write_raw(b"R\x01" + bytes((_WINDOW & 0xFF, _WINDOW >> 8)) + b"\x01")
    program = bytearray()
    while True:
        byte = console.read_byte()
        if byte == CTRL_D:
            break
        if byte == CTRL_C:
            console.write_raw(_END + _END + _END)
            return
        program.append(byte)
        if len(program) % _WINDOW == 0:
            console.write_raw(b"\x01")
    console.write_raw(_END)
    _run_raw(bytes(program))


def _run_raw(program):
    try:
        if run(program, "<stdin>", "exec", _report_raw):
            console.write_raw(_END)
    except SoftReset:  # whoever follows the program hears of its end before the board starts anew
        console.write_raw(_END + _END)
        raise
    console.write_raw(_END)


def _report_raw(error):
    console.write_raw(_END)
    console.print_exception(error)


def friendly_session():
    """Serve the friendly REPL until Ctrl-A (returns `LEAVE`) or Ctrl-D on an empty line (`SOFT_RESET`)."""
    _show_banner()
    while True:
        source = _read_statement()
        if source in (LEAVE, SOFT_RESET):
            return source
        if source is CTRL_B:
            _show_banner()
        elif source.strip():
            run(source, "<stdin>", "single")


def _show_banner():
    import sys

    print(sys.version.split("; ")[1] + "; " + system.MACHINE)
    print('Type "help()" for more information.')


def _read_statement():
    """One statement, over as many lines as it needs, or `LEAVE`, `SOFT_RESET`, `CTRL_B`."""
    lines = []
    while True:
        line = _read_line("... " if lines else ">>> ", _indentation(lines))
        if line in (CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E):
            print()
            if line == CTRL_C or (lines and line != CTRL_E):
                return ""
            return _answer_control(line)
        lines.append(line)
        if not wants_more(lines):
            return "\n".join(lines) + "\n"


def _answer_control(byte):
    if byte == CTRL_E:
        return _read_pasted()
    return {CTRL_A: LEAVE, CTRL_B: CTRL_B, CTRL_D: SOFT_RESET}[byte]


def _read_pasted():
    print("paste mode; Ctrl-C to cancel, Ctrl-D to finish\n=== ", end="")
    pasted = bytearray()
    while True:
        byte = console.read_byte()
        if byte == CTRL_C:
            print()
            return ""
        if byte == CTRL_D:
            print()
            run(bytes(pasted), "<stdin>", "exec")
            return ""
        byte = LINE_FEED if byte == CARRIAGE_RETURN else byte
        pasted.append(byte)
        print("\n=== " if byte == LINE_FEED else chr(byte), end="")


def _read_line(prompt, indentation):
    """A line without its end, or the control byte that was typed in its place."""
    print(prompt + indentation, end="")
    line = bytearray(indentation.encode())
    while True:
        byte = console.read_byte()
        if byte in (LINE_FEED, CARRIAGE_RETURN):
            print()
            return line.decode()
        if byte == CTRL_C or (not line and byte in (CTRL_A, CTRL_B, CTRL_D, CTRL_E)):
            return byte
        _edit(line, byte)


def _edit(line, byte):
    if byte in RUBOUTS:
        if line:
            line[:] = line[:-1]
            print("\x08 \x08", end="")
    elif byte == TAB:
        line.extend(b"    ")
        print("    ", end="")
    elif byte >= SPACE:
        line.append(byte)
        console.write_raw(bytes((byte,)))


def _indentation(lines):
    """The spaces a new line begins with: those of the last one, four more after a colon."""
    if not lines:
        return ""
    last = lines[-1]
    spaces = " " * (len(last) - len(last.lstrip()))
    return spaces + "    " if last.rstrip().endswith(":") else spaces


def wants_more(lines):
    """Whether a statement is not complete: open brackets or quotes, a backslash, or a block without its empty line."""
    depth, quote = _open_at_end("\n".join(lines))
    if depth > 0 or quote:
        return True
    last = lines[-1].rstrip()
    if last.endswith("\\"):
        return True
    is_block = lines[0].startswith("@") or _opens_block(lines)
    return is_block and last != ""


def _opens_block(lines):
    first = lines[0].split("(")[0].split(":")[0].split(" ")[0].strip()
    return first in ("if", "while", "for", "try", "with", "def", "class", "async")


def _open_at_end(source):
    """How many brackets are open at the end of `source`, and which triple quote."""
    depth, index, quote = 0, 0, ""
    while index < len(source):
        step = 1
        here = source[index:]
        if quote:
            if here.startswith("\\"):
                step = 2
            elif here.startswith(quote) or (len(quote) == 1 and here[0] == "\n"):
                step, quote = len(quote), ""
        elif here[:3] in _TRIPLE_QUOTES:
            step, quote = 3, here[:3]
        elif here[0] in "\"'":
            quote = here[0]
        elif here[0] == "#":
            step = (here + "\n").find("\n")
        else:
            depth += (here[0] in "([{") - (here[0] in ")]}")
        index += step
    return depth, quote if quote in _TRIPLE_QUOTES else ""
