"""The system call filter: what must never be allowed, and that what it says is what engines read."""

from __future__ import annotations

import json

import pytest

from argentum_desktop.resources import resource

PROFILE = json.loads(resource("seccomp", "argentum.json").read_text(encoding="utf-8"))
FORBIDDEN = """
unshare setns mount umount2 pivot_root move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr chroot keyctl
add_key request_key bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register ptrace
process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd name_to_handle_at open_by_handle_at kexec_load
kexec_file_load init_module finit_module delete_module reboot swapon swapoff settimeofday clock_settime clock_adjtime
adjtimex stime sethostname setdomainname syslog acct quotactl iopl ioperm modify_ldt lookup_dcookie vhangup nfsservctl
fanotify_init move_pages migrate_pages vmsplice uselib ustat sysfs
"""


def rules(name: str) -> list[dict]:
    return [rule for rule in PROFILE["syscalls"] if name in rule["names"]]


def test_what_is_not_listed_is_refused() -> None:
    assert (PROFILE["defaultAction"], PROFILE["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)


@pytest.mark.parametrize("name", FORBIDDEN.split())
def test_what_must_stay_out(name: str) -> None:
    assert rules(name) == []


def test_clone_makes_no_namespace() -> None:
    (rule,) = rules("clone")
    (condition,) = rule["args"]
    masks = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]
    assert condition == {"index": 0, "value": sum(masks), "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}


def test_clone3_looks_absent() -> None:
    (rule,) = rules("clone3")
    assert (rule["action"], rule["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


def test_sockets_of_four_families_only() -> None:
    assert sorted(rule["args"][0]["value"] for rule in rules("socket")) == [1, 2, 10, 16]


def test_no_argument_is_named_twice_in_a_rule() -> None:
    """The runtime would join the two with "or"."""
    for rule in PROFILE["syscalls"]:
        indexes = [condition["index"] for condition in rule["args"]]
        assert len(indexes) == len(set(indexes))
        assert rule["comment"]


def test_an_unconditional_rule_does_not_undo_a_conditional_one() -> None:
    for name in ("clone", "clone3", "socket", "socketpair", "personality"):
        assert all(rule["args"] or rule["action"] == "SCMP_ACT_ERRNO" for rule in rules(name))


def test_only_the_machines_own_kind_of_program() -> None:
    assert all(entry["subArchitectures"] == [] for entry in PROFILE["archMap"])
