"""Lists of moves and removals: checked, carried out, killed, undone."""

import errno
import json
import os
import shutil
import signal
import time
from hashlib import sha256
from pathlib import Path

import pytest
from adc_process import start_adc
from photo_folder import adc, content, write_list

from adc_core import InputError
from adc_plugins_publish.moves.move_list import read_move_list


def row(action="move", path="a/1.png", to="b/1.png", text="1", **others):
    return {
        "apply": "yes",
        "action": action,
        "path": path,
        "to": to,
        "sha256": sha256(text.encode()).hexdigest(),
        **others,
    }


@pytest.fixture
def plain(tmp_path):
    """A folder of small files that need be no images, and a writer of lists for it."""
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.stem)

    def write(*rows, **dialect):
        folder = {"folder": str(tmp_path / "photos")}
        write_list(tmp_path / "moves.csv", [one | folder for one in rows], **dialect)
        return tmp_path

    return write


def test_a_class_that_becomes_empty_goes_and_comes_back(plain):
    folder = plain(row(), row(path="a/2.png", to="b/2.png", text="2"))
    before = content(folder / "photos")
    adc(folder, "apply", "moves.csv")
    assert not (folder / "photos/a").exists()
    adc(folder, "apply", "moves.csv", "--undo")
    assert content(folder / "photos") == before


OUT = "is no path below the folder: give one without `..`"

UNMEANT = [
    ({"path": "../secret"}, f"'../secret' {OUT}"),
    ({"path": "a/../../secret"}, f"'a/../../secret' {OUT}"),
    ({"path": "/etc/passwd"}, f"'/etc/passwd' {OUT}"),
    ({"path": ""}, f"'' {OUT}"),
    ({"to": "../b/1.png"}, f"'../b/1.png' {OUT}"),
    ({"to": "/tmp/1.png"}, f"'/tmp/1.png' {OUT}"),
    ({"to": "1.png"}, "`to` is '1.png': write CLASS/NAME"),
    ({"to": ""}, "`to` is empty: write where the file should be, or remove for action"),
    ({"action": "copy"}, "`action` is 'copy': write move or remove"),
    ({"apply": "maybe"}, "`apply` is 'maybe': write yes or no"),
]
"""Lines that cannot be meant, whatever lies in the folder."""

IMPOSSIBLE = [
    ({"to": "b/3.png"}, "b/3.png already exists"),
    ({"path": "a/9.png", "to": "b/9.png"}, "a/9.png is not there"),
    ({"path": "a/2.png", "to": "b/2.png"}, "a/2.png is not the file that was listed"),
    ({"path": "link.png", "to": "b/l.png"}, "link.png is behind a link"),
    ({"path": "away/1.png", "to": "b/w.png"}, "away/1.png is behind a link"),
    ({"path": "b/1.png", "to": "away/2.png"}, "away/2.png is behind a link"),
]
"""Lines that the folder does not allow."""


@pytest.mark.parametrize("cases", [UNMEANT, IMPOSSIBLE], ids=["unmeant", "impossible"])
def test_nothing_moves_where_a_line_is_wrong(plain, cases):
    good = row("remove", "b/3.png", "", "3")
    folder = plain(good, *(row(**changed) for changed, _ in cases))
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/1.png").write_text("1")
    (folder / "secret").write_text("1")
    (folder / "photos/b/1.png").write_text("1")
    (folder / "photos/link.png").symlink_to("a/1.png")
    (folder / "photos/away").symlink_to(folder / "elsewhere")
    before = content(folder)
    told = adc(folder, "apply", "moves.csv", code=2)[1].splitlines()
    lines = [
        message
        if cases is UNMEANT
        else f"{folder}/photos/{message}: fix it, or write no under `apply`"
        for _, message in cases
    ]
    assert told == [
        f"adc: moves.csv, line {number}: {line}" for number, line in enumerate(lines, start=3)
    ]
    assert content(folder) == before


def test_removed_files_do_not_follow_a_link(plain):
    folder = plain(row("remove"))
    (folder / "elsewhere").mkdir()
    (folder / "photos-removed").symlink_to(folder / "elsewhere")
    _, told = adc(folder, "apply", "moves.csv", code=2)
    assert told == (
        f"adc: moves.csv, line 2: {folder}/photos-removed/a/1.png is behind a link: fix it, or "
        "write no under `apply`\n"
    )


def test_lines_that_contradict_each_other(plain):
    folder = plain(
        row(),
        row(to="b/4.png"),
        row(path="a/2.png", to="B/1.png", text="2"),
    )
    assert adc(folder, "apply", "moves.csv", code=2)[1] == (
        "adc: moves.csv, line 3: photos/a/1.png is in the list twice: keep one\n"
        "adc: moves.csv, line 4: another file is to become photos/B/1.png: write another name\n"
    )


def test_many_faults_are_counted(plain):
    folder = plain(*(row(path=f"a/x{number}.png", to=f"b/x{number}") for number in range(50)))
    told = adc(folder, "apply", "moves.csv", code=2)[1].splitlines()
    assert len(told) == 21
    assert told[-1] == "adc: and 30 more"


HEAD = "apply,action,path,to,sha256,folder\n"

NO_LISTS = [
    ("", "has no column `apply`: give a list that `adc export --as moves` wrote"),
    ("a,b\n1,2\n", "has no column `apply`: give a list that `adc export --as moves` wrote"),
    (HEAD, "lists nothing: there is nothing to do"),
    (f"{HEAD}yes,move\n", ", line 2: columns are missing: fix or remove the line"),
    (
        f"{HEAD}yes,move,a,b/c,0,photos\n",
        ": the folder photos is not there: fix the column `folder`",
    ),
    (
        f"{HEAD}yes,move,a,b/c,0,/1\nyes,move,a,b/c,0,/2\n",
        "names several folders: keep the lines of one in each list",
    ),
]


def test_what_is_no_list(tmp_path):
    file = tmp_path / "moves.csv"
    for text, message in NO_LISTS:
        file.write_text(text)
        with pytest.raises(InputError) as error:
            read_move_list(file)
        assert str(error.value) == f"{file}{message if message[0] in ',:' else f' {message}'}"


def test_a_list_that_is_not_there(tmp_path):
    assert adc(tmp_path, "apply", "moves.csv", code=2)[1] == (
        "adc: moves.csv does not exist: fix the path\n"
    )


def test_undoing_what_was_changed_since(plain):
    folder = plain(
        row(), row("remove", "a/2.png", "", "2"), row(path="b/3.png", to="a/3.png", text="3")
    )
    adc(folder, "apply", "moves.csv")
    (folder / "photos/b/1.png").write_text("painted over")
    (folder / "photos-removed/a/2.png").unlink()
    _, told = adc(folder, "apply", "moves.csv", "--undo", code=1)
    assert told == (
        f"adc: photos/a/2.png cannot be put back: {folder}/photos-removed/a/2.png is not there\n"
        f"adc: photos/a/1.png cannot be put back: {folder}/photos/b/1.png is not the file that was "
        "listed\n"
        "adc: 1 put back, 2 not: fix them and --undo again\n"
    )
    assert (folder / "photos/b/3.png").read_text() == "3"
    (folder / "photos/b/1.png").write_text("1")
    (folder / "photos-removed/a/2.png").write_text("2")
    adc(folder, "apply", "moves.csv", "--undo")
    assert set(content(folder / "photos")) == {"a/1.png", "a/2.png", "b/3.png"}


def test_undo_needs_the_journal_alone(plain):
    folder = plain(row())
    before = content(folder / "photos")
    adc(folder, "apply", "moves.csv")
    (folder / "moves.csv").unlink()
    adc(folder, "apply", "moves.csv", "--undo")
    assert content(folder / "photos") == before


def test_a_destination_that_is_edited_afterwards(plain):
    folder = plain(row())
    adc(folder, "apply", "moves.csv")
    plain(row(to="c/1.png"))
    assert adc(folder, "apply", "moves.csv", code=2)[1] == (
        "adc: moves.csv, line 2: photos/a/1.png was moved to photos/b/1.png before: --undo first\n"
    )
    adc(folder, "apply", "moves.csv", "--undo")
    adc(folder, "apply", "moves.csv")
    assert (folder / "photos/c/1.png").read_text() == "1"


@pytest.mark.parametrize(
    "journal",
    [
        "{",
        "[]",
        '{"folder": "photos", "moves": []}',
        '{"folder": "ROOT", "moves": [{"path": "../x", "to": "photos/a", "sha256": ""}]}',
        '{"folder": "ROOT", "moves": [{"path": "other/x", "to": "photos/a", "sha256": ""}]}',
    ],
)
def test_a_journal_that_leads_elsewhere(plain, journal):
    folder = plain(row())
    before = content(folder / "photos")
    text = journal.replace("ROOT", str(folder / "photos"))
    (folder / "moves.csv.journal").write_text(text)
    for words in ((), ("--undo",)):
        assert len(adc(folder, "apply", "moves.csv", *words, code=1)[1].splitlines()) == 1
    assert content(folder / "photos") == before


MANY = 1200


@pytest.fixture
def many(tmp_path):
    """A folder with more than a thousand files, and a list that moves or removes each."""
    rows = []
    for number in range(MANY):
        name = f"{'abcde'[number % 5]}/{number % 7}/{number}.png"
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
        action = "remove" if number % 3 == 0 else "move"
        to = "" if action == "remove" else f"z/{number}.png"
        rows.append(row(action, name, to, str(number), folder=str(tmp_path / "photos")))
    write_list(tmp_path / "moves.csv", rows)
    return tmp_path


def kill_when(folder, words, done):
    """Start `adc apply` and kill it, as a power cut would, once `done` files are elsewhere."""
    with start_adc("apply", "moves.csv", *words, cwd=folder) as process:
        while process.poll() is None and not done():
            time.sleep(0.0005)
        process.kill()
    return process.returncode == -signal.SIGKILL


def count(folder):
    return sum(len(names) for _, _, names in os.walk(folder))


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_killed_it_goes_on_or_back(many, share):
    before = content(many / "photos")
    everything = sorted(before.values())
    there, removed = many / "photos/z", many / "photos-removed"

    def moved():
        return count(there) + count(removed)

    killed = kill_when(many, (), lambda: moved() > share * MANY)
    assert killed
    left = content(many)
    files = [data for name, data in left.items() if name.startswith("photos") and data is not None]
    # Nothing is lost; one file at most has two names.
    assert set(files) == set(everything)
    assert len(files) <= MANY + 1

    # Forward: the same command.
    adc(many, "apply", "moves.csv")
    assert sorted(data for data in content(many / "photos").values()) == sorted(
        data for data in everything if int(data) % 3
    )
    assert [path.name for path in (many / "photos").iterdir()] == ["z"]
    # Killed while it goes back, it goes on going back.
    assert kill_when(many, ("--undo",), lambda: moved() < (1 - share / 2) * MANY)
    adc(many, "apply", "moves.csv", "--undo")
    assert content(many / "photos") == before
    assert not removed.exists()


@pytest.mark.parametrize("share", [0.3])
def test_killed_it_can_be_undone_at_once(many, share):
    before = content(many / "photos")
    folders = (many / "photos/z", many / "photos-removed")
    assert kill_when(many, (), lambda: sum(map(count, folders)) > share * MANY)
    adc(many, "apply", "moves.csv", "--undo")
    assert content(many / "photos") == before
    assert not (many / "photos-removed").exists()


@pytest.mark.parametrize("words", [(), ("--undo",)])
def test_a_file_with_two_names_after_a_kill(plain, words):
    """The moment between the new name and the end of the old one."""
    folder = plain(row())
    before = content(folder / "photos")
    adc(folder, "apply", "moves.csv")
    os.link(folder / "photos/b/1.png", folder / "photos/1.png")
    (folder / "photos/a").mkdir(exist_ok=True)
    (folder / "photos/1.png").rename(folder / "photos/a/1.png")
    adc(folder, "apply", "moves.csv", *words)
    after = content(folder / "photos")
    assert "b/1.png" in after if not words else after == before
    assert list(after.values()).count(b"1") == 1


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV])
def test_disks_without_links_and_other_disks(plain, monkeypatch, number):
    """Such disks are not here: the system's answers are theirs, the files are real."""
    from adc_core.cli import main

    folder = plain(row(), row("remove", "a/2.png", "", "2"))
    before = content(folder / "photos")
    monkeypatch.chdir(folder)
    rename = Path.rename

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    def rename_here(path, target):
        if number == errno.EXDEV and path.parent != target.parent:
            raise OSError(number, os.strerror(number))
        return rename(path, target)

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "rename", rename_here)
    assert main(["apply", "moves.csv"]) == 0
    assert content(folder / "photos") == {"b/1.png": b"1", "b/3.png": b"3"}
    assert content(folder / "photos-removed") == {"a/2.png": b"2"}
    # Killed after the copy to another disk: both are there.
    shutil.copy(folder / "photos/b/1.png", folder / "photos/1.png")
    assert main(["apply", "moves.csv", "--undo"]) == 0
    (folder / "photos/1.png").unlink()
    assert content(folder / "photos") == before


def test_a_copy_that_was_killed_goes_on(plain):
    folder = plain(row())
    adc(folder, "apply", "moves.csv")
    (folder / "photos/a/1.png").write_text("1")  # as on another disk: the copy is whole
    adc(folder, "apply", "moves.csv")
    assert set(content(folder / "photos")) == {"a/2.png", "b/1.png", "b/3.png"}


def test_the_journal_is_there_before_the_first_move(plain):
    folder = plain(row())
    # A file in the way of the folder of removed files: the first step fails.
    plain(row(), row("remove", "a/2.png", "", "2"))
    (folder / "photos-removed").write_text("in the way")
    _, told = adc(folder, "apply", "moves.csv", code=1)
    assert told.startswith(f"adc: {folder}/photos-removed")
    journal = json.loads((folder / "moves.csv.journal").read_text())
    assert [move["path"] for move in journal["moves"]] == ["photos/a/1.png", "photos/a/2.png"]
    (folder / "photos-removed").unlink()
    adc(folder, "apply", "moves.csv")
    assert content(folder / "photos") == {"b/1.png": b"1", "b/3.png": b"3"}
