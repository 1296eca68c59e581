"""A session file on a disk that is full, or that may not be written: the talk goes on."""

import subprocess
import sys

import pytest

from agentcli.llm.types import Text, UserMessage
from agentcli.session import store

FULL = """
import resource, sys
from pathlib import Path
from agentcli.session.store import SessionFile, header
from agentcli.llm.types import Text, UserMessage
path = Path(sys.argv[1])
file = SessionFile(path, "s")
file.append("header", header("s", path.parent, "1"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for number in range(20):
    file.message(UserMessage((Text(f"words {number} " * 10),), "human"))
print(path.stat().st_size, file.take_problem(), file.take_problem())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.close()
"""


def test_what_a_full_disk_did_not_take_is_written_when_there_is_room_again(tmp_path):
    path = tmp_path / "s.jsonl"
    words = [sys.executable, "-c", FULL, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    size, _, told = done.stdout.partition(" ")
    assert size == "1000"
    assert told.count("can't be kept") == 1
    saved, last, count = store.read(path)
    said = [message.content[0].text.split()[1] for message in saved.messages]
    assert said == [str(number) for number in range(20)]
    assert (saved.damaged, last, count) == (0, "21", 21)


def test_a_folder_that_is_none_is_said_once_and_the_talk_goes_on(tmp_path):
    (tmp_path / "file").write_text("")
    file = store.SessionFile(tmp_path / "file" / "s.jsonl", "s")
    for _ in range(3):
        file.message(UserMessage((Text("hi"),), "human"))
    assert "goes on" in file.take_problem()
    assert file.take_problem() == ""
    file.close()


def test_a_file_that_another_process_holds_is_still_refused(tmp_path):
    one, two = (store.SessionFile(tmp_path / "s.jsonl", "s") for _ in range(2))
    one.append("header", {})
    with pytest.raises(store.UserError, match="another terminal"):
        two.append("header", {})
    one.close()
