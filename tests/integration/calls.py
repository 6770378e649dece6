"""What a process asks the kernel for, seen by strace: every file it makes, every byte it lets out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import need

LETS_OUT = [
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "sendfile",
    "splice",
    "copy_file_range",
    "vmsplice",
    "process_vm_writev",
    "msgsnd",
    "mq_timedsend",
]
MAKES = [
    "open",
    "openat",
    "openat2",
    "creat",
    "memfd_create",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
]
RENAMES = ["rename", "renameat", "renameat2", "truncate", "ftruncate"]
OTHER_WAYS = ["connect", "io_uring_setup", "shmat", "shmget", "mq_open"]
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
TARGET = re.compile(r"^(\d+)<([^>]*)>")
RESULT = re.compile(r"= (-?\d+)[^=]*$")
QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Calls:
    """The calls of a process and its threads, from strace's own file."""

    log: Path

    def tracer(self) -> list[str]:
        """A command that runs another one and notes its calls; the process keeps its own number."""
        names = ",".join([*LETS_OUT, *MAKES, *RENAMES, *OTHER_WAYS])
        options = ["-D", "-f", "-y", "--seccomp-bpf", "-s", "200", "-e", f"trace={names}"]
        return [need("strace", "strace"), *options, "-o", str(self.log)]

    def over(self) -> bool:
        """Whether the process has come to its good end, so that all is noted."""
        return "+++ exited with 0 +++" in self.log.read_text("utf-8", "replace")

    def made(self) -> set[str]:
        """Names of all that was opened for writing or made in any other way."""
        found = {
            name
            for verb, rest in self._calls(MAKES)
            if _writes(verb, rest)
            for name in QUOTED.findall(rest)[-1:]
        }
        return found | {name for _, rest in self._calls(RENAMES) for name in QUOTED.findall(rest)}

    def let_out(self) -> list[tuple[str, int]]:
        """(where to, bytes) of every write: a path, a pipe, a socket."""
        found = []
        for verb, rest in self._calls(LETS_OUT):
            target, result = TARGET.match(rest), RESULT.search(rest)
            size = int(result[1]) if result else 0
            found.append((target[2] if target else verb, size))
        return found

    def others(self) -> list[str]:
        """Connections, and ways out that nobody here should use."""
        return [f"{verb}({rest}" for verb, rest in self._calls(OTHER_WAYS)]

    def _calls(self, verbs: list[str]) -> Iterator[tuple[str, str]]:
        for line in _joined(self.log.read_text("utf-8", "replace").splitlines()):
            match = CALL.match(line)
            if match and match[1] in verbs and not re.search(r"= -1 E(?!INPROGRESS)", match[2]):
                yield match[1], match[2]


def _writes(verb: str, rest: str) -> bool:
    return not verb.startswith("open") or bool(re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest))


def _joined(lines: list[str]) -> Iterator[str]:
    """Calls that strace cut in two, put together again."""
    open_calls: dict[str, str] = {}
    for line in lines:
        thread = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            open_calls[thread] = line.removesuffix("<unfinished ...>")
        elif "resumed>" in line:
            yield open_calls.pop(thread, "") + line.partition("resumed>")[2]
        else:
            yield line
