"""What a person takes away convinces the offline check, and nothing else does."""

import base64
import copy
import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from aizu_vault.keys import FileSigner
from aizu_vault.log.bundles import make_bundle
from aizu_vault.log.entries import Entry, leaf_of, private_content
from aizu_vault.log.errors import NotReadyError
from aizu_vault.log.heads import LogSigner
from aizu_vault.log.notes import Checkpoint, read
from aizu_vault.log.tree import Tree

from .conftest import ALL, ORIGIN, SCRIPT, load_script, person

script = load_script()


def bundle_of(log, number=5, **options):
    """A person's bundle as it is downloaded."""
    key = log.store.create([person(number)])[person(number)].log
    with log.server.connect(log.database) as connection:
        made = make_bundle(connection, log.signer, person(number), key, **options)
    return json.loads(json.dumps(made))


def check(folder, log, *texts, words=()):
    """Runs the script on files as a citizen does; nothing of the product is on its path."""
    names = []
    for number, text in enumerate(texts):
        file = folder / f"file{number}"
        file.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        names.append(file.name)
    key = str(log.signer.trusted)
    result = subprocess.run(
        [sys.executable, "-I", SCRIPT, key, *words, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    return result.returncode, result.stdout + result.stderr


def test_a_bundle_holds(long_log, tmp_path):
    """All entries of a person in a log of 600 leaves, said in both languages."""
    made = bundle_of(long_log)
    code, said = check(tmp_path, long_log, made)
    count = len(made["entries"])
    assert (code, count) == (0, 74)
    assert f"記録{count}件は正しい" in said and f"all {count} entries hold" in said


def test_a_person_of_whom_nothing_was_logged_has_a_bundle_too(long_log, tmp_path):
    """That there is nothing is signed as well."""
    code, said = check(tmp_path, long_log, bundle_of(long_log, 99))
    assert (code, "0件は正しい" in said) == (0, True)


def test_what_is_not_signed_yet_follows_later(log, tmp_path):
    """The bundle ends with the newest head."""
    with pytest.raises(NotReadyError):
        bundle_of(log)
    log.add(5)
    log.sign()
    log.add(5)
    made = bundle_of(log)
    assert len(made["entries"]) == 1
    assert check(tmp_path, log, made)[0] == 0


def test_an_earlier_bundle_and_a_published_head_are_still_in_the_log(log, tmp_path):
    """The proof is for the size that was asked for; without it nothing can be told."""
    log.add(5, 6, 5)
    published = log.sign()
    earlier = bundle_of(log)
    log.add(7, 5)
    log.sign()
    later = bundle_of(log, since=3)
    assert check(tmp_path, log, later, earlier, published.note)[0] == 0
    assert check(tmp_path, log, earlier, earlier)[0] == 0
    code, said = check(tmp_path, log, bundle_of(log), earlier)
    assert (code, "cannot tell" in said) == (2, True)
    assert check(tmp_path, log, earlier, later)[0] == 1


def test_an_entry_kept_back_is_found(log, tmp_path):
    """A gap, a missing end, and an end that is missing with its signature."""
    log.add(5, 5, 5)
    log.sign()
    made = bundle_of(log)
    for place in range(3):
        less = copy.deepcopy(made)
        del less["entries"][place]
        code, said = check(tmp_path, log, less)
        assert code == 1, place
    assert "3 entries signed, 2 here" in said
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute("UPDATE audit.log_count SET entries = 2")
    log.connection.execute("UPDATE audit.log_leaf SET tag = 'gone' WHERE leaf_index = 2")
    hidden = bundle_of(log, since=3)
    code, said = check(tmp_path, log, hidden, made)
    assert (code, "your own earlier entries are gone" in said) == (1, True)


def test_two_views_of_the_log_are_found(log, server, empty_log, tmp_path):
    """The key's owner signs another log for somebody else; the published head gives it away."""
    log.add(5, 6, 5)
    log.sign()
    made = bundle_of(log)
    connection = server.connect(server.create(empty_log))
    other = copy.copy(log)
    other.connection = connection
    other.signer = LogSigner(origin=ORIGIN, signer=log.signer.signer, last=tmp_path / "elsewhere")
    other.add(5, 6, 7)
    same_size = other.sign()
    code, said = check(tmp_path, log, made, same_size.note)
    assert (code, "gone or altered" in said) == (1, True)
    other.add(8)
    longer = other.sign()
    path = {"proof": [node.hex() for node in Tree(connection).consistency(3, 4)]}
    heads = (made["head"], longer.note, path)
    assert check(tmp_path, log, *heads, words=["--heads"])[0] == 1
    heads = (same_size.note, longer.note, path)
    assert check(tmp_path, log, *heads, words=["--heads"])[0] == 0
    connection.close()


def test_another_key_did_not_sign(long_log, tmp_path):
    """Neither a key of the same name nor one of another."""
    made = bundle_of(long_log)
    stranger = LogSigner(
        origin=ORIGIN, signer=FileSigner.open(tmp_path / "s.pem"), last=tmp_path / "last"
    )
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(made))
    with pytest.raises(script.WrongError, match="not signed by this key"):
        script.main(str(stranger.trusted), str(file))


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "{}", '{"key": "zz"}', '{"key": 1}', "null", '"head"', "\udcff"]
)
def test_what_is_no_bundle_cannot_be_told(long_log, tmp_path, text):
    """Neither right nor wrong: the third exit code, with the way to use it."""
    (tmp_path / "file0").write_bytes(text.encode("utf-8", "surrogateescape"))
    command = [sys.executable, SCRIPT, str(long_log.signer.trusted), "file0"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, "KEY BUNDLE" in result.stderr) == (2, True)
    assert "Traceback" not in result.stderr


def test_without_words_or_with_a_missing_file_it_says_how():
    """No traceback either."""
    for words in ([], ["key"], ["a+b+c", "missing"], ["key", "missing"]):
        result = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True)
        assert (result.returncode, "Traceback" in result.stderr) == (2, False), words


def test_it_is_short_and_asks_no_network():
    """At most 150 lines, the standard library and cryptography."""
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    imported = {
        line.split()[1].partition(".")[0]
        for line in lines
        if line.split()[:1] in (["from"], ["import"])
    }
    imported |= {"cryptography"} if any("from cryptography" in line for line in lines) else set()
    allowed = {"base64", "collections", "cryptography", "datetime", "hashlib", "hmac", "json"}
    assert imported <= allowed | {"pathlib", "sys", "typing"}


def test_an_index_outside_the_log_is_refused(log):
    """In a full tree the same proof would lead to the root from there."""
    log.add(5, 6, 7, 8, 5, 6, 7, 8)
    log.sign()
    made = bundle_of(log)
    for by in (8, -8):
        altered = copy.deepcopy(made)
        for entry in altered["entries"]:
            entry["index"] += by
        with pytest.raises(script.WrongError, match="missing or altered"):
            script.check_bundle(altered, str(log.signer.trusted))


def test_one_signed_head_does_not_stand_in_for_another(log):
    """Where all entries are one person's, both trees have the same root; only the origin tells."""
    log.add(5, 5, 5)
    log.sign()
    made, key = bundle_of(log), str(log.signer.trusted)
    script.check_bundle(made, key)
    for name, other in (("head", "own_head"), ("own_head", "head")):
        with pytest.raises(script.WrongError, match="of another log"):
            script.check_bundle({**made, name: made[other]}, key)


def test_an_old_count_does_not_stand_beside_a_new_head(log, tmp_path):
    """Whoever has two bundles of a person could make one that keeps back what came between."""
    log.add(5, 6, 5)
    log.sign()
    old = bundle_of(log)
    now = datetime.now(UTC)
    while datetime.now(UTC).replace(microsecond=0) <= now:
        time.sleep(0.1)
    log.add(5, 7, 5)
    log.sign()
    new = bundle_of(log)
    assert check(tmp_path, log, new)[0] == 0
    less = {**new, "entries": new["entries"][:2], "own_head": old["own_head"]}
    code, said = check(tmp_path, log, less)
    assert (code, "2 entries signed, 2 here, as of" in said) == (1, True)


def test_a_count_is_never_signed_before_its_head(log):
    """Whatever the clock of the service does between the two."""
    log.add(5)
    head = log.sign()
    later = replace(head, signed_at=head.signed_at + timedelta(hours=1))
    _, at = read(log.signer.sign(head.checkpoint, later), log.signer.trusted)
    assert at == later.signed_at


def test_a_leaf_under_anothers_tag_is_refused(log):
    """The operator signs it all the same: nobody who looks for the tag would find the entry."""
    key = b"k" * 32
    leaf = leaf_of(Entry(kind="release", person=person(5)), datetime.now(UTC), key, 1)
    content = private_content(leaf, key, 1).decode()
    for body, holds in (
        (leaf.body, True),
        (leaf.body.replace(leaf.tag.hex().encode(), b"0"), False),
    ):
        root, mark = script.root_of([body]), sha256(b"aizu log of" + key).hexdigest()
        heads = [Checkpoint(origin=o, size=1, root=root) for o in (ORIGIN, f"{ORIGIN}/{mark}")]
        head, own_head = (log.signer.sign(one, log.sign()) for one in heads)
        entry = {"index": 0, "leaf": body.decode(), "content": content, "proof": []}
        made = {"key": key.hex(), "head": head, "own_head": own_head, "entries": [entry]}
        if holds:
            script.check_bundle(made, str(log.signer.trusted))
            continue
        with pytest.raises(script.WrongError, match="entry 1 is missing or altered"):
            script.check_bundle(made, str(log.signer.trusted))


def test_every_altered_bundle_is_refused(long_log, tmp_path):
    """Single values altered at random, entries left out, swapped, doubled or taken from another person."""
    made, other = bundle_of(long_log), bundle_of(long_log, 6)
    made["entries"], file = made["entries"][:], tmp_path / "bundle.json"
    chance = random.Random(6)
    key = str(long_log.signer.trusted)
    for number in range(2_000 if ALL else 150):
        altered = copy.deepcopy(made)
        how = tamper(altered, other, chance)
        file.write_text(json.dumps(altered))
        with pytest.raises((script.WrongError, ValueError, LookupError, TypeError)):
            pytest.fail(f"{number} {how}: {script.main(key, str(file))}")


def tamper(bundle, other, chance):
    """Alters the bundle in one way that changes what it says."""
    entries = bundle["entries"]
    first, second = sorted(chance.sample(range(len(entries)), 2))
    how = chance.choice(["value", "proof", "note", "key", "drop", "swap", "double", "foreign"])
    if how == "value":
        name = chance.choice(["leaf", "content"])
        entries[first][name] = flipped(entries[first][name].encode(), chance).decode("latin-1")
    elif how == "proof":
        path = entries[first]["proof"]
        place = chance.randrange(len(path))
        path[place] = flipped(bytes.fromhex(path[place]), chance).hex()
    elif how == "note":
        name = chance.choice(["head", "own_head"])
        text, dash, line = bundle[name].rpartition(f"{ORIGIN} ")
        signature = flipped(base64.b64decode(line), chance)
        # The first four bytes name the key; the check has one key only and tries that.
        signature = base64.b64decode(line)[:4] + signature[4:]
        if signature == base64.b64decode(line):
            text = text.replace("\n", "\n1", 1)
        bundle[name] = text + dash + base64.b64encode(signature).decode() + "\n"
    elif how == "key":
        bundle["key"] = flipped(bytes.fromhex(bundle["key"]), chance).hex()
    elif how == "drop":
        del entries[first]
    elif how == "swap":
        entries[first], entries[second] = entries[second], entries[first]
    elif how == "double":
        entries.insert(first, entries[second])
    else:
        entries[first] = other["entries"][first]
    return how


def flipped(raw, chance):
    """The bytes with one bit turned."""
    place = chance.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(7)]) + raw[place + 1 :]
