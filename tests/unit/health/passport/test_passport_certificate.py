"""The public short form: small, sealed, and silent on the numbers that name a card."""

from __future__ import annotations

from dataclasses import replace

import pytest
from health_samples import a_check, a_failed_report, a_server_gpu
from passport_samples import BUYER, SELLER, a_passport, a_sound_report, checked, repaired

from argentum_desktop.domain.health import CardIdentity, CheckVerdict, Grade
from argentum_desktop.errors import DocumentError, PassportError
from argentum_desktop.health.passport.certificate import card_digest, certificate, new_salt
from argentum_desktop.identity.canonical import canonical_json
from argentum_desktop.identity.sealed import open_seal, seal
from argentum_desktop.marketplace.certificates import read_certificate

SALT = "00112233445566778899aabbccddeeff"
CARD = CardIdentity.of(a_server_gpu())
PASSPORT = a_passport(checked(a_sound_report(card=CARD)), repaired(), card=CARD)


def test_a_certificate_says_what_the_card_is_and_how_it_was_found() -> None:
    found, sealed = read_certificate(certificate(PASSPORT, SELLER, SALT))
    assert sealed.key_id == SELLER.key_id
    assert (found.name, found.grade, found.score, found.confidence_percent) == ("NVIDIA A40", Grade.A, 92, 55)
    assert (found.entries, found.head_sha256) == (3, PASSPORT.entries[-1].sha256)
    assert [check.check_id for check in found.checks] == ["memory.errors", "heat.limit"]
    assert not found.is_simulated


def test_it_names_neither_the_card_nor_its_place() -> None:
    text = canonical_json(certificate(PASSPORT, SELLER, SALT)).decode()
    assert CARD.serial
    assert CARD.pci_address
    for secret in (CARD.gpu_id, CARD.serial, CARD.pci_address):
        assert secret not in text


def test_who_has_the_card_can_show_that_it_is_meant() -> None:
    found, _ = read_certificate(certificate(PASSPORT, SELLER, SALT))
    assert card_digest(CARD.gpu_id, found.salt) == found.card_digest
    assert card_digest("GPU-other", found.salt) != found.card_digest


def test_two_owners_certificates_cannot_be_told_to_be_of_one_card() -> None:
    one, two = new_salt(), new_salt()
    assert one != two
    assert len(bytes.fromhex(one)) == 16
    assert card_digest(CARD.gpu_id, one) != card_digest(CARD.gpu_id, two)


def test_the_same_passport_gives_the_same_certificate() -> None:
    assert certificate(PASSPORT, SELLER, SALT) == certificate(PASSPORT, SELLER, SALT)


def test_it_is_small_however_much_was_checked() -> None:
    worst = a_check(check_id="worst", verdict=CheckVerdict.FAIL)
    many = tuple(a_check(check_id=f"topic.check_{number}", value="long " * 100) for number in range(200))
    reason, caps = "because " * 200, tuple("cap " * 300 for _ in range(50))
    report = a_failed_report(card=CARD, checks=(*many, worst))
    report = replace(report, appraisal=replace(report.appraisal, reason=reason, caps=caps))
    sealed = certificate(a_passport(checked(report), card=CARD), SELLER, SALT)
    assert len(canonical_json(sealed)) <= 8 * 1024
    found, _ = read_certificate(canonical_json(sealed))
    assert found.checks[0].check_id == "worst"
    assert len(found.checks) + found.checks_left_out == 201
    assert found.checks_left_out > 0


def test_a_simulated_card_stays_one() -> None:
    card = replace(CARD, is_simulated=True)
    found, _ = read_certificate(certificate(a_passport(checked(a_sound_report(card=card)), card=card), SELLER, SALT))
    assert found.is_simulated


def test_a_card_that_was_never_checked_has_none() -> None:
    with pytest.raises(PassportError, match="not checked yet"):
        certificate(a_passport(repaired()), SELLER, SALT)


def test_nobody_vouches_for_what_another_key_wrote() -> None:
    with pytest.raises(PassportError, match="Another key"):
        certificate(PASSPORT, BUYER, SALT)


def test_an_edited_certificate_does_not_open() -> None:
    sealed = certificate(a_passport(checked(a_failed_report(card=CARD)), card=CARD), SELLER, SALT)
    sealed["payload"]["grade"] = "A"
    with pytest.raises(DocumentError, match="seal is broken"):
        read_certificate(sealed)


@pytest.mark.parametrize("change", [{"grade": "Z"}, {"entries": "many"}, {"schema": "argentum.gpu-certificate/2"}])
def test_what_is_no_certificate_is_refused(change: dict[str, object]) -> None:
    payload = open_seal(certificate(PASSPORT, SELLER, SALT)).payload
    with pytest.raises(DocumentError, match=r"not a certificate|not known here"):
        read_certificate(seal({**payload, **change}, SELLER))
