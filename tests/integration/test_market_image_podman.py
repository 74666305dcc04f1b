from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import PODMAN, short_folder

from argentum_desktop.buyer.job_file import read_job
from argentum_desktop.buyer.oci_archive import describe
from argentum_desktop.buyer.sample import write_sample
from argentum_desktop.runner.podman_config import containers_conf, read_system_facts

pytestmark = pytest.mark.engine


@pytest.fixture
def short() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def test_a_packed_image_is_loaded_by_podman_under_its_digest_and_does_the_samples_work(
    tmp_path: Path, short: Path
) -> None:
    assert PODMAN, "podman is not installed"
    config = tmp_path / "containers.conf"
    config.write_text(containers_conf(read_system_facts()), "utf-8")

    def podman(*words: str) -> str:
        done = subprocess.run(
            # A storage of its own: another's clean-up may remove the same image from the common one.
            [PODMAN, "--root", str(short / "storage"), "--runroot", str(short / "run"), *words],
            env={**os.environ, "CONTAINERS_CONF": str(config)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    job_file = write_sample(tmp_path / "sample", scale=0.01)
    spec = read_job(job_file).spec("EUR")
    image = podman("load", "--quiet", "--input", str(tmp_path / "sample" / "image.tar")).strip().rpartition(" ")[2]
    try:
        assert podman("image", "inspect", "--format", "{{.Digest}}", image).strip() == spec.image_digest
        outputs = tmp_path / "out"
        outputs.mkdir()
        outputs.chmod(0o777)
        mounts = ["-v", f"{tmp_path / 'sample' / 'mandelbrot.awk'}:/in/mandelbrot.awk:ro", "-v", f"{outputs}:/out"]
        sealed = ["--rm", "--network=none", "--read-only", "--cap-drop=all", "--user=65534:65534", "--pull=never"]
        said = podman("run", *sealed, *mounts, image, *spec.command)
        saved = tmp_path / "saved.tar"
        podman("save", "--quiet", "--format", "oci-archive", "--output", str(saved), image)
    finally:
        podman("system", "reset", "--force")
    assert "progress: 100 %" in said
    header, size, shades, *rest = (outputs / "picture.pgm").read_text().split("\n")
    width, height = (int(number) for number in size.split())
    pixels = [int(shade) for line in rest for shade in line.split()]
    assert (header, shades, len(pixels)) == ("P2", "255", width * height)
    assert 0 < pixels.count(0) < len(pixels)
    assert "inside:" in (outputs / "summary.txt").read_text()
    # What Podman itself writes is an archive that we can read as well.
    assert describe(saved).command == ("/bin/busybox", "sh")
