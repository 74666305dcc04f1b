"""A sample job that needs nothing but a static busybox: it renders the Mandelbrot set, strip by strip."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from argentum_desktop.buyer.oci_archive import pack
from argentum_desktop.errors import BadInputError

BUSYBOX = Path("/bin/busybox")
_WIDTH, _HEIGHT, _STRIPS = 480, 320, 25
_ELF_INTERPRETER = 3

_PROGRAM = r"""# Renders the Mandelbrot set into /out/picture.pgm, a strip at a time, and tells how far it is.
BEGIN {
    picture = "/out/picture.pgm"
    printf "P2\n%d %d\n255\n", width, height > picture
    inside = 0; steps = 0
    for (strip = 0; strip < strips; strip++) {
        last = int(height * (strip + 1) / strips)
        for (y = int(height * strip / strips); y < last; y++) {
            line = ""
            ci = -1.2 + 2.4 * y / height
            for (x = 0; x < width; x++) {
                cr = -2.4 + 3.6 * x / width
                zr = 0; zi = 0; n = 0
                while (n < limit && zr * zr + zi * zi < 4) {
                    t = zr * zr - zi * zi + cr
                    zi = 2 * zr * zi + ci
                    zr = t
                    n++
                }
                steps += n
                if (n == limit) { inside++; shade = 0 } else shade = 55 + n * 9 % 200
                line = line shade (x % 16 == 15 ? "\n" : " ")
            }
            print line > picture
        }
        printf "progress: %d %%\n", int(100 * (strip + 1) / strips)
        fflush()
    }
    close(picture)
    summary = "/out/summary.txt"
    printf "size: %d x %d\nsteps: %d\n", width, height, steps > summary
    printf "inside: %.2f %%\n", 100 * inside / (width * height) > summary
    close(summary)
}
"""

_JOB = """# A sample job: `argentum-market submit job.toml --watch` runs it and fetches the picture.
title = "Mandelbrot set, {width} x {height}"
image = "image.tar"
command = [
    "/bin/busybox", "awk",
    "-v", "width={width}", "-v", "height={height}", "-v", "strips={strips}", "-v", "limit=200",
    "-f", "/in/mandelbrot.awk",
]
inputs = ["mandelbrot.awk"]
output = "output"
max_price_per_hour = "0.40"

[limits]
gpus = 0
cpu_millis = 1000
memory_mib = 128
disk_mib = 64
pids = 16
wall_s = {wall_s}
"""


def write_sample(folder: Path, *, scale: float = 1.0, busybox: Path = BUSYBOX) -> Path:
    """Write the sample's image, input and job file into `folder`; returns the job file.

    Args:
        scale: how much work it is; 1 takes some ten to twenty seconds on one core.

    Raises:
        BadInputError: there is no static busybox here, the scale makes no sense, or the folder cannot be written.
    """
    if not 0.001 <= scale <= 1000:
        raise BadInputError(f"The scale {scale:g} makes no sense.", "Give one between 0.001 and 1000.")
    _require_static(busybox)
    stretch = math.sqrt(scale)
    # Rows end on a whole group of sixteen, which is how the picture's lines are broken.
    width, height = max(16, round(_WIDTH * stretch / 16) * 16), max(_STRIPS, round(_HEIGHT * stretch))
    job = _JOB.format(width=width, height=height, strips=_STRIPS, wall_s=max(600, round(300 * scale)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mandelbrot.awk").write_text(_PROGRAM, "utf-8")
        (folder / "job.toml").write_text(job, "utf-8")
    except OSError as error:
        raise BadInputError(f"The folder {folder} cannot be written ({error.strerror}).", "Choose another.") from error
    links = {"/bin/sh": "busybox", "/bin/awk": "busybox"}
    pack({"/bin/busybox": busybox}, ["/bin/busybox", "sh"], folder / "image.tar", links=links)
    return folder / "job.toml"


def _require_static(busybox: Path) -> None:
    """In an image of its own there is no loader and no library, so only a static program runs."""
    remedy = "Install the package busybox-static."
    try:
        program = busybox.read_bytes()
    except OSError as error:
        raise BadInputError(f"The sample job needs {busybox}, which is not here.", remedy) from error
    if not program.startswith(b"\x7fELF"):
        raise BadInputError(f"{busybox} is not a Linux program.", remedy)
    wide = program[4] == 2
    order: Literal["little", "big"] = "little" if program[5] == 1 else "big"
    table = int.from_bytes(program[32:40] if wide else program[28:32], order)
    size = int.from_bytes(program[54:56] if wide else program[42:44], order)
    count = int.from_bytes(program[56:58] if wide else program[44:46], order)
    for number in range(count):
        entry = table + number * size
        if int.from_bytes(program[entry : entry + 4], order) == _ELF_INTERPRETER:
            raise BadInputError(f"{busybox} needs libraries of this machine.", remedy)
