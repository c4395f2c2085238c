"""What a Logon proves: passwords, signatures, HMACs; and the vectors that docs/logon.md prints."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

import pytest
from argon2 import PasswordHasher, Type
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fix_engine.message import Message
from sessions.credentials import (
    Credential,
    HmacCredential,
    Method,
    Outcome,
    PasswordCredential,
    SignatureCredential,
    decoys,
    hash_password,
    presented,
)
from tests.fix_engine.support import examples
from tests.sessions.gate import WINDOW_NS, password_hash, stamp
from tests.support import proofs
from tests.support.messages import ROOT, decode, fix
from tests.support.proofs import PASSWORD

MS = 10**6
NOW = 1_772_366_400_000 * MS  # 2026-03-01 12:00:00 UTC

# The key of RFC 8032, section 7.1, test 1.
RFC_8032_SECRET = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
RFC_8032_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SIGNATURE_VECTOR = (
    "y2BLnvZjoAX/DbHK4N820sfxaKdX6eOMAsTpwGe152STFvdsI8g4S81/H9LYZffZO684/GGRHXC1zAk43o/RAg=="
)
HMAC_SECRET = (
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
)
HMAC_VECTOR = (
    "D/U4Gob6xT0vtg9+MZn5GZnBDrVvU0jBL/hlb0c109PLnOMwPRT5QwXlXLywWXc5uu10Pk9FZq7lMhcwC98GSg=="
)
VECTOR_FIELDS = {34: "1", 49: "ACME1", 52: "20260301-12:00:00.000", 56: "SEAMARK"}
NONCE = "1772366400000"


def message(fields: dict[int, str]) -> Message:
    return decode(fix("".join(f"{tag}={value}|" for tag, value in fields.items())))


@dataclass
class Proof:
    """A Logon that proves something at some time, and then is altered."""

    at_ns: int = NOW
    altered: dict[int, str | None] = field(default_factory=dict)

    def fields(self) -> dict[int, str]:
        head = {35: "A", 34: "1", 49: "ACME1", 52: stamp(self.at_ns), 56: "SEAMARK"}
        return head | {98: "0", 108: "30"}

    def sent(self, fields: dict[int, str]) -> Message:
        changed: dict[int, str | None] = {**fields, **self.altered}
        return message({tag: value for tag, value in changed.items() if value is not None})

    def signed(self, key: Ed25519PrivateKey = proofs.SIGNING_KEY) -> Message:
        fields = self.fields()
        text = proofs.signature(fields, key)
        return self.sent(fields | {95: str(len(text)), 96: text})

    def hashed(self, secret: bytes = proofs.HMAC_SECRET) -> Message:
        fields = self.fields() | {553: "ACME1", 5025: str(self.at_ns // MS)}
        return self.sent(fields | {554: proofs.hmac_password(fields, secret)})

    def made(self, method: Method) -> Message:
        return self.signed() if method is Method.SIGNATURE else self.hashed()


def credential(method: Method) -> Credential:
    if method is Method.SIGNATURE:
        return SignatureCredential([proofs.PUBLIC_KEY], WINDOW_NS)
    return HmacCredential(proofs.HMAC_SECRET, WINDOW_NS)


def fault(outcome: Outcome) -> str:
    """Why a Logon is refused; it leaves nothing to be remembered then."""
    assert outcome.fault is not None
    assert (outcome.memory, outcome.complaint) == (b"", b"")
    return outcome.fault


PROOFS = [Method.SIGNATURE, Method.HMAC]
both = pytest.mark.parametrize("method", PROOFS, ids=["signature", "hmac"])


# --- published vectors --------------------------------------------------------------------


def test_the_published_signature_is_what_the_key_of_rfc_8032_makes_of_the_payload() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(RFC_8032_SECRET))
    public = base64.b64decode(RFC_8032_PUBLIC)
    assert key.public_key().public_bytes_raw() == public
    payload = b"A\x01ACME1\x01SEAMARK\x011\x0120260301-12:00:00.000"
    assert base64.b64encode(key.sign(payload)).decode() == SIGNATURE_VECTOR
    logon = message({35: "A", **VECTOR_FIELDS, 95: "88", 96: SIGNATURE_VECTOR})
    assert SignatureCredential([public], WINDOW_NS).check(logon, NOW).fault is None


def test_the_published_hmac_is_what_its_secret_makes_of_the_fields_and_the_nonce() -> None:
    secret = base64.b64decode(HMAC_SECRET)
    assert secret == bytes(range(64))
    hashed = b"35=A\x0134=1\x0149=ACME1\x0156=SEAMARK\x01553=ACME1\x011772366400000"
    digest = hmac.new(secret, hashlib.sha256(hashed).digest(), hashlib.sha512).digest()
    assert base64.b64encode(digest).decode() == HMAC_VECTOR
    fields = VECTOR_FIELDS | {553: "ACME1", 554: HMAC_VECTOR, 5025: NONCE}
    assert HmacCredential(secret, WINDOW_NS).check(message({35: "A", **fields}), NOW).fault is None


def test_the_page_prints_the_vectors_that_are_tested_here() -> None:
    page = (ROOT / "docs" / "logon.md").read_text()
    for what in (
        *(RFC_8032_SECRET, RFC_8032_PUBLIC, SIGNATURE_VECTOR),
        *(HMAC_SECRET, NONCE, HMAC_VECTOR),
        r"A<SOH>ACME1<SOH>SEAMARK<SOH>1<SOH>20260301-12:00:00.000",
        r"35=A<SOH>34=1<SOH>49=ACME1<SOH>56=SEAMARK<SOH>553=ACME1<SOH>1772366400000",
    ):
        assert page.count(what) >= 1, what


# --- which method -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        ({95: "1", 96: "x"}, Method.SIGNATURE),
        ({95: "1", 96: "x", 554: "p", 5025: "1"}, Method.SIGNATURE),
        ({554: "p", 5025: "1"}, Method.HMAC),
        ({5025: "1"}, Method.HMAC),
        ({554: "p"}, Method.PASSWORD),
        ({554: ""}, Method.PASSWORD),
        ({553: "u"}, None),
        ({925: "n"}, None),
    ],
)
def test_a_logon_presents_what_its_fields_say(
    fields: dict[int, str], method: Method | None
) -> None:
    assert presented(message({35: "A", **VECTOR_FIELDS, **fields})) is method


@pytest.mark.parametrize("method", list(Method))
def test_a_decoy_refuses_whatever_is_right_elsewhere(method: Method) -> None:
    proof = Proof()
    right = proof.sent(proof.fields() | {553: "ACME1", 554: PASSWORD})
    logon = right if method is Method.PASSWORD else proof.made(method)
    decoy = decoys(WINDOW_NS)[method]
    assert decoy.method is method
    assert fault(decoy.check(logon, NOW)).endswith(" is wrong")


# --- passwords ----------------------------------------------------------------------------


def password(given: str | None = PASSWORD, new: str | None = None) -> Message:
    return Proof(altered={553: "ACME1", 554: given, 925: new}).sent(Proof().fields())


def test_the_password_is_right_or_wrong() -> None:
    door = PasswordCredential(password_hash())
    assert door.check(password(), NOW) == Outcome()
    for wrong in (PASSWORD + "x", PASSWORD[:-1], PASSWORD.upper(), " " + PASSWORD, "", None):
        assert fault(door.check(password(wrong), NOW)) == "Password (554) is wrong", wrong


def test_a_password_may_have_256_bytes_and_no_more() -> None:
    longest = "p" * 256
    assert PasswordCredential(hash_password(longest.encode())).check(password(longest), NOW) == (
        Outcome()
    )
    door = PasswordCredential(hash_password(longest.encode() + b"p"))
    assert fault(door.check(password(longest + "p"), NOW)) == "Password (554) is wrong"


@pytest.mark.parametrize("new", ["", "x" * 11, "x" * 257, PASSWORD])
def test_a_new_password_that_will_not_do_is_complained_of_aloud(new: str) -> None:
    outcome = PasswordCredential(password_hash()).check(password(new=new), NOW)
    assert (outcome.fault, outcome.memory) == (None, b"")
    assert outcome.complaint == (
        b"NewPassword (925) must have 12 to 256 bytes and differ from the old one"
    )


def test_a_new_password_with_a_wrong_old_one_is_nothing_but_wrong() -> None:
    door = PasswordCredential(password_hash())
    for new in ("x" * 12, "short"):
        assert fault(door.check(password("wrong", new), NOW)) == "Password (554) is wrong"


@pytest.mark.parametrize("new", ["x" * 12, "y" * 256])
def test_a_changed_password_holds_once_it_is_recalled_and_survives_a_restart(new: str) -> None:
    door = PasswordCredential(password_hash())
    outcome = door.check(password(new=new), NOW)
    assert (outcome.fault, outcome.complaint, outcome.only_online) == (None, b"", True)
    assert new.encode() not in outcome.memory
    assert PASSWORD.encode() not in outcome.memory
    assert door.check(password(), NOW).fault is None, "a check changes nothing"
    restarted = PasswordCredential(password_hash())
    restarted.recall(outcome.memory)
    assert restarted.check(password(new), NOW) == Outcome()
    assert restarted.check(password(), NOW).fault is not None


def test_another_hash_in_the_settings_wins_over_a_change_that_is_remembered() -> None:
    memory = PasswordCredential(password_hash()).check(password(new="x" * 12), NOW).memory
    reset = PasswordCredential(hash_password(b"given by the operator"))
    reset.recall(memory)
    assert reset.check(password("given by the operator"), NOW) == Outcome()
    assert reset.check(password("x" * 12), NOW).fault is not None
    # The same password, hashed again, is another hash too: it is how an operator takes it back.
    again = PasswordCredential(hash_password(PASSWORD.encode()))
    again.recall(memory)
    assert again.check(password(), NOW) == Outcome()


def test_a_password_forgets_nothing_over_what_another_method_left() -> None:
    door = PasswordCredential(password_hash())
    for memory in (b"proof 17", b"", b"password", b"password 00 $argon2id$"):
        door.recall(memory)
    assert door.check(password(), NOW) == Outcome()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA",
        PasswordHasher(1, 8, 1, type=Type.I).hash("x" * 12),
    ],
    ids=["empty", "plain", "half", "argon2i"],
)
def test_only_an_argon2id_hash_will_do(text: str) -> None:
    with pytest.raises(ValueError, match="seamark keys hash") as error:
        PasswordCredential(text)
    assert not text or text not in str(error.value)


def test_a_hash_is_argon2id_at_the_cost_that_is_recommended_and_salted() -> None:
    one, other = hash_password(b"x" * 12), hash_password(b"x" * 12)
    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


# --- signatures and HMACs -----------------------------------------------------------------


@both
def test_a_right_proof_is_remembered_with_its_time(method: Method) -> None:
    outcome = credential(method).check(Proof().made(method), NOW)
    assert outcome == Outcome(memory=b"proof %d" % NOW, only_online=False)


ALTERED = {34: "2", 49: "ACME2", 52: "20260301-12:00:00.001", 56: "SEAMARC"}


@pytest.mark.parametrize(("tag", "value"), ALTERED.items())
def test_each_field_that_is_signed_is_covered_by_the_signature(tag: int, value: str) -> None:
    logon = Proof(altered={tag: value}).signed()
    assert fault(credential(Method.SIGNATURE).check(logon, NOW)).endswith("(96) is wrong")


@pytest.mark.parametrize(
    ("tag", "value"), ((ALTERED | {553: "ACME2", 5025: str(NOW // MS + 1)}) | {52: None}).items()
)
def test_each_field_that_is_hashed_is_covered_by_the_hmac(tag: int, value: str | None) -> None:
    outcome = credential(Method.HMAC).check(Proof(altered={tag: value}).hashed(), NOW)
    if tag == 52:
        assert outcome.fault is None, "the nonce is what tells the time"
    else:
        assert fault(outcome).endswith("(554) is wrong")


@both
def test_a_proof_is_for_a_logon_alone(method: Method) -> None:
    logon = Proof(altered={35: "D"}).made(method)
    assert fault(credential(method).check(logon, NOW)).endswith(" is wrong")


@pytest.mark.parametrize("tag", [34, 49, 52, 56])
def test_a_field_that_is_signed_must_be_there(tag: int) -> None:
    logon = Proof(altered={tag: None}).signed()
    assert fault(credential(Method.SIGNATURE).check(logon, NOW)).endswith(" is wrong")


def test_another_key_proves_nothing() -> None:
    other = Ed25519PrivateKey.generate()
    assert fault(credential(Method.SIGNATURE).check(Proof().signed(other), NOW))
    assert fault(credential(Method.HMAC).check(Proof().hashed(bytes(64)), NOW))


@pytest.mark.parametrize(
    "text", ["", "x", "====", "*" * 88, "A" * 88, "A" * 86 + "==", "\xff" * 88, "A" * 8_000]
)
@both
def test_what_is_no_proof_is_refused(method: Method, text: str) -> None:
    is_signature = method is Method.SIGNATURE
    altered = {95: str(len(text)), 96: text} if is_signature else {554: text}
    logon = Proof(altered={**altered}).made(method)
    assert fault(credential(method).check(logon, NOW)).endswith(" is wrong")


def test_a_signature_with_white_space_in_its_base64_is_none() -> None:
    text = proofs.signature(Proof().fields())
    spaced = f"{text[:44]} {text[44:]}"
    logon = Proof(altered={95: str(len(spaced)), 96: spaced}).signed()
    assert fault(credential(Method.SIGNATURE).check(logon, NOW))


def test_a_password_field_without_a_nonce_is_no_hmac() -> None:
    logon = Proof(altered={5025: None}).hashed()
    assert fault(credential(Method.HMAC).check(logon, NOW)).endswith("(554) is wrong")


@both
def test_either_end_of_the_window_is_within_it(method: Method) -> None:
    for off in (-WINDOW_NS, WINDOW_NS):
        assert credential(method).check(Proof(NOW + off).made(method), NOW).fault is None
        for now in (NOW - 1, NOW + 1):
            outcome = credential(method).check(Proof(NOW + off).made(method), now)
            is_within = abs(NOW + off - now) <= WINDOW_NS
            assert (outcome.fault is None) is is_within
    late = Proof(NOW - WINDOW_NS - MS).made(method)
    assert fault(credential(method).check(late, NOW)).endswith(
        "its time is -5.001 s from our clock"
    )
    early = Proof(NOW + WINDOW_NS + MS).made(method)
    assert fault(credential(method).check(early, NOW)).endswith(
        "its time is +5.001 s from our clock"
    )


@both
def test_a_proof_is_good_once_and_an_older_one_never_after(method: Method) -> None:
    door = credential(method)
    used = Proof(NOW).made(method)
    assert door.check(used, NOW).fault is None
    assert door.check(used, NOW).fault is None, "until it is remembered"
    door.recall(door.check(used, NOW).memory)
    for offset_ms in (0, -1, -4_000):
        logon = Proof(NOW + offset_ms * MS).made(method)
        assert "a replay" in fault(door.check(logon, NOW))
    assert door.check(Proof(NOW + MS).made(method), NOW).fault is None


@both
def test_what_is_remembered_never_goes_back(method: Method) -> None:
    door = credential(method)
    for memory in (b"proof %d" % NOW, b"proof 5", b"password 00 x", b"", b"proof 0"):
        door.recall(memory)
    assert "a replay" in fault(door.check(Proof(NOW).made(method), NOW))


def test_any_of_two_keys_will_do_and_they_share_their_memory() -> None:
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    door = SignatureCredential([key.public_key().public_bytes_raw() for key in keys[:2]], WINDOW_NS)
    for number, key in enumerate(keys[:2]):
        outcome = door.check(Proof(NOW + number * MS).signed(key), NOW)
        assert outcome.fault is None
        door.recall(outcome.memory)
    assert "a replay" in fault(door.check(Proof(NOW).signed(keys[1]), NOW))
    assert fault(door.check(Proof(NOW + 9 * MS).signed(keys[2]), NOW)).endswith(" is wrong")


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        SignatureCredential([bytes(31)], WINDOW_NS)


@pytest.mark.parametrize(
    "nonce",
    [
        *("", "x", "-1", "+1772366400000", "1772366400000.0", " 1772366400000", "0x10"),
        *("\xb2", "0" * 4 + "1772366400000", "9" * 17, "9" * 400),
    ],
)
def test_a_nonce_is_a_number_of_at_most_16_digits_even_when_its_hmac_is_right(nonce: str) -> None:
    fields = Proof().fields() | {553: "ACME1", 5025: nonce}
    logon = message(fields | {554: proofs.hmac_password(fields)})
    assert fault(credential(Method.HMAC).check(logon, NOW)).endswith("(554) is wrong")


@pytest.mark.parametrize("nonce", ["0", "1", "9" * 16, "1772366400"])
def test_a_nonce_that_is_no_time_near_ours_is_refused(nonce: str) -> None:
    fields = Proof().fields() | {553: "ACME1", 5025: nonce}
    logon = message(fields | {554: proofs.hmac_password(fields)})
    assert "from our clock" in fault(credential(Method.HMAC).check(logon, NOW))


@pytest.mark.parametrize("text", ["", "now", "20260301-12:00:00.00", "20261301-12:00:00"])
def test_a_sending_time_that_is_none_is_refused_even_when_it_is_signed(text: str) -> None:
    fields = Proof().fields() | {52: text}
    signature = proofs.signature(fields)
    logon = message(fields | {95: str(len(signature)), 96: signature})
    assert fault(credential(Method.SIGNATURE).check(logon, NOW)).endswith(" is wrong")


@examples(80)
@given(
    st.sampled_from(PROOFS),
    st.sampled_from([34, 49, 56]),
    st.text(
        st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="|="), max_size=9
    ),
)
def test_no_other_value_of_a_covered_field_will_do(method: Method, tag: int, value: str) -> None:
    logon = Proof(altered={tag: value}).made(method)
    is_same = Proof().fields()[tag] == value
    assert (credential(method).check(logon, NOW).fault is None) is is_same


@examples(80)
@given(
    st.sampled_from(PROOFS),
    st.lists(st.integers(-7_000, 7_000), min_size=1, max_size=6),
)
def test_accepted_proofs_are_within_the_window_and_ever_newer(
    method: Method, offsets_ms: list[int]
) -> None:
    door, last = credential(method), -(10**9)
    for offset in offsets_ms:
        outcome = door.check(Proof(NOW + offset * MS).made(method), NOW)
        assert (outcome.fault is None) is (abs(offset) <= 5_000 and offset > last)
        if outcome.fault is None:
            door.recall(outcome.memory)
            last = offset


@examples(80)
@given(st.sampled_from(list(Method)), st.binary(max_size=120))
def test_no_bytes_break_a_check(method: Method, value: bytes) -> None:
    door = _CHEAP if method is Method.PASSWORD else credential(method)
    proof = value.replace(b"\x01", b"").replace(b"|", b"").decode("latin-1")
    fields = {52: proof or "x", 5025: proof, 553: proof, 554: proof, 95: str(len(proof)), 96: proof}
    logon = message({35: "A", 34: "1", 49: "ACME1", **fields})
    assert door.check(logon, NOW).fault is not None


_CHEAP = PasswordCredential(PasswordHasher(1, 8, 1, type=Type.ID).hash("something else"))
