"""What an engine says went wrong, in the owner's words. Pure."""

from __future__ import annotations

import re

from argentum_desktop.errors import EngineError, ImageError

_SHOWN_CHARACTERS = 240


def engine_fault(doing: str, said: str) -> EngineError:
    """The error for an engine's message while it was asked to do something ("start the job")."""
    for pattern, kind, message, remedy in _KNOWN:
        match = re.search(pattern, said, re.IGNORECASE)
        if match:
            details = [(group or "it gave no reason")[:100] for group in match.groups()]
            return kind(message.format(*details), remedy)
    words = " ".join(said.split())[:_SHOWN_CHARACTERS] or "it gave no reason"
    return EngineError(f"The container engine refused to {doing}: {words}.".replace("..", "."))


_KNOWN: tuple[tuple[str, type[EngineError], str, str], ...] = (
    (
        r"unresolvable CDI devices? ([\w./=:-]+)",
        EngineError,
        "The container engine does not know the graphics card {0}.",
        "Install the vendor's container toolkit and let it describe the cards (nvidia-ctk cdi generate).",
    ),
    (
        r"could not select device driver|CDI device injection failed",
        EngineError,
        "The container engine cannot hand a graphics card to a job.",
        "Install the NVIDIA container toolkit for this engine and restart the engine.",
    ),
    (
        r"no space left on device|disk quota exceeded",
        EngineError,
        "The disk is full where the container engine keeps images and containers.",
        "Free some space there, then resume.",
    ),
    (
        r"setrlimit|RLIMIT_\w+.*operation not permitted",
        EngineError,
        "The container engine may not set the limits a job needs.",
        "Raise the machine's hard limits for open files and processes (ulimit -Hn, ulimit -Hu).",
    ),
    (
        r"cgroups? in hybrid mode not supported",
        EngineError,
        "The engine's runtime cannot work with this system's control groups.",
        "Install runc, or switch the system to unified control groups.",
    ),
    (
        r"seccomp",
        EngineError,
        "The container engine could not load the system call filter of the jobs.",
        "Use Podman 4 or Docker 20.10.10 and newer, built with seccomp.",
    ),
    (
        r"container-init binary not found",
        EngineError,
        "The container engine lacks the small program that starts jobs and clears up after them.",
        "Install the package catatonit.",
    ),
    (
        # The archive was proven before the engine got it, so this is about the engine's storage and not the image.
        r"writing blob: (.{1,200}?): exit status|invalid tar header|archive/tar|blobs/json: no such file",
        EngineError,
        "The container engine could not store the job's image ({0}).",
        "Try `podman info`, and look at where the engine keeps its images.",
    ),
    (
        # It was loaded and proven; who removed it was not the buyer.
        r"image not known|no such image",
        EngineError,
        "The job's image is no longer with the container engine.",
        "It is loaded again with the next attempt.",
    ),
    (
        r"exec format error",
        ImageError,
        "The job's program is made for another kind of machine.",
        "",
    ),
    (
        r"exec: \\?\"?([^\"\\:]{1,100})\\?\"?: (?:executable file not found|stat |no such file|permission denied)",
        ImageError,
        "The job's image has no program {0} that can be run.",
        "The buyer has to correct the job's command.",
    ),
    (
        r"no command (?:or entrypoint )?(?:specified|provided)",
        ImageError,
        "Neither the job nor its image says which program to run.",
        "The buyer has to give the job a command.",
    ),
)
