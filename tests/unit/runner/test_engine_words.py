"""What engines say, in the owner's words; and the configuration we give Podman."""

from __future__ import annotations

import tomllib

import pytest

from argentum_desktop.errors import EngineError, ImageError
from argentum_desktop.runner.engine import ContainerState
from argentum_desktop.runner.faults import engine_fault
from argentum_desktop.runner.podman_config import SystemFacts, containers_conf
from argentum_desktop.runner.rest_engine import instant_of, state_of


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=7", EngineError, "card nvidia.com/gpu=7"),
        ('could not select device driver "" with capabilities: [[gpu]]', EngineError, "graphics card"),
        ("write /var/lib/x: no space left on device", EngineError, "disk is full"),
        ("runc: setrlimit `RLIMIT_NOFILE`: Operation not permitted", EngineError, "limits"),
        ("crun: cgroups in hybrid mode not supported, drop all", EngineError, "control groups"),
        (
            "* oci-archive: writing blob: adding layer: remount /: invalid argument: exit status 1",
            EngineError,
            "remount",
        ),
        ("archive/tar: invalid tar header", EngineError, "could not store the job's image (it gave no reason)"),
        ("container-init binary not found on the host: stat /usr/x", EngineError, "lacks the small program"),
        ("1925: image not known", EngineError, "no longer"),
        ("No such image: sha256:1925", EngineError, "no longer"),
        ('exec: "/no/such": stat /no/such: no such file or directory', ImageError, "no program /no/such"),
        ('exec: "nope": executable file not found in $PATH', ImageError, "no program nope"),
        ("standard_init_linux.go: exec user process caused: exec format error", ImageError, "another kind"),
        ("", EngineError, "refused to start the job: it gave no reason."),
        ("weird\nthing\thappened.", EngineError, "refused to start the job: weird thing happened."),
    ],
)
def test_faults(said: str, kind: type[EngineError], words: str) -> None:
    error = engine_fault("start the job", said)
    assert type(error) is kind
    assert words in error.message


def test_a_long_complaint_is_cut() -> None:
    assert len(engine_fault("start the job", "x" * 10_000).message) < 400


def test_braces_in_what_is_said_do_no_harm() -> None:
    assert engine_fault("start the job", "unresolvable CDI devices a/b=c {0} {x}").message.endswith("a/b=c.")


def test_words_for_states() -> None:
    assert state_of("stopping") is ContainerState.RUNNING
    with pytest.raises(EngineError, match="unknown state"):
        state_of("floating")


def test_instants() -> None:
    instant = instant_of("2026-11-23T06:52:29.783703937Z")
    assert instant is not None
    assert instant.isoformat() == "2026-11-23T06:52:29.783703+00:00"
    for nothing in ("0001-01-01T00:00:00Z", "", None, "yesterday", "2026-11-23T06:52:29"):
        assert instant_of(nothing) is None


def facts(**changes: object) -> SystemFacts:
    usual = {
        "unified_control_groups": True,
        "has_systemd": True,
        "has_runc": True,
        "open_files_hard": 1_048_576,
        "processes_hard": 1_048_576,
    }
    return SystemFacts(**{**usual, **changes})  # type: ignore[arg-type]


def test_an_ordinary_system_needs_little() -> None:
    assert tomllib.loads(containers_conf(facts())) == {"containers": {}, "engine": {"events_logger": "file"}}


def test_old_control_groups_without_systemd_and_low_limits() -> None:
    told = containers_conf(facts(unified_control_groups=False, has_systemd=False, open_files_hard=20000))
    assert tomllib.loads(told) == {
        "containers": {"default_ulimits": ["nofile=1024:1024", "nproc=4096:4096"]},
        "engine": {"events_logger": "file", "runtime": "runc", "cgroup_manager": "cgroupfs"},
    }


def test_a_limit_below_ours_is_respected() -> None:
    told = tomllib.loads(containers_conf(facts(open_files_hard=512)))
    assert told["containers"]["default_ulimits"][0] == "nofile=512:512"
