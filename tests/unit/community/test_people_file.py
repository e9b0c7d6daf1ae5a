"""People and ties from files: what is read, and one sentence for every fault."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from tests.unit.community.worlds import assert_proper, build

from mobsim.community.behaviour import BehaviourSpec, CountThresholds
from mobsim.community.community import Community
from mobsim.community.network import FromFiles
from mobsim.errors import ScenarioError

pytestmark = pytest.mark.quick

PEOPLE = """\
id,group,leader,leaning,threshold,neighbourhood,participating
anna,majority,1,1,0.5,north,1
ben,minority,0,0,0.25,south,0
cara,majority,yes,opposed,0.1,north,no
"""
TIES = "from,to,weight,transmission\nanna,ben,0.5,0.1\ncara,anna,1,0.2\n"


def read(folder: Path, people: str | bytes = PEOPLE, ties: str | bytes = TIES, **more: object) -> Community:
    """Write both files and build the community of three that they describe."""
    for name, content in (("people.csv", people), ("ties.csv", ties)):
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    residents = more.pop("residents", 3)
    behaviour = more.pop("behaviour", None)
    network = FromFiles(kind="files", people="people.csv", ties="ties.csv", **more)
    return build(network, residents, folder=folder, behaviour=behaviour)


def test_everything_is_read(tmp_path: Path) -> None:
    c = read(tmp_path)
    assert_proper(c)
    assert c.resident_ids == ("anna", "ben", "cara")
    assert c.group.tolist() == [0, 1, 0]
    assert c.is_leader.tolist() == [True, False, True]
    assert c.leaning.tolist() == [1, 0, -1]
    assert c.influence.tolist() == [16, 8, 16]
    assert c.threshold.tolist() == [0.5, 0.25, np.float32(0.1)]
    assert c.listed_threshold.tolist() == [0.5, 0.25, 0.1]
    assert c.neighbourhood.tolist() == [0, 1, 0]
    assert c.participating.tolist() == [True, False, False]
    assert c.aware[0]
    assert c.row_start.tolist() == [0, 2, 3, 4]
    assert c.neighbours.tolist() == [1, 2, 0, 0]
    assert c.tie_weight.tolist() == [2**19, 2**20, 2**19, 2**20]
    assert c.transmission.tolist() == [0.1, 0.2, 0.1, 0.2]


def test_to_influences_from(tmp_path: Path) -> None:
    c = read(tmp_path, directed=True)
    assert c.row_start.tolist() == [0, 1, 1, 2]
    assert c.neighbours.tolist() == [1, 0]


def test_what_the_file_does_not_say_is_drawn(tmp_path: Path) -> None:
    people = "id\n" + "\n".join(f"p{i}" for i in range(100)) + "\n"
    c = read(tmp_path, people, "from,to\np0,p1\n", residents=100)
    assert np.bincount(c.group).tolist() == [80, 20]
    assert c.is_leader.sum() == 5
    assert c.tie_weight.size == c.transmission.size == c.listed_threshold.size == 0
    assert np.unique(c.threshold).size == 100


def test_counts(tmp_path: Path) -> None:
    counted = BehaviourSpec(thresholds=CountThresholds(kind="count", value=1))
    c = read(tmp_path, "id,threshold\na,2\nb,0\nc,11\n", "from,to\n", behaviour=counted)
    assert c.least_count.tolist() == [2, 0, 11]
    with pytest.raises(ScenarioError, match=r"resident 1 is 0\.5; allowed are whole numbers from 0"):
        read(tmp_path, "id,threshold\na,2\nb,.5\nc,11\n", "from,to\n", behaviour=counted)
    with pytest.raises(ScenarioError, match="resident 2 is 11; allowed are -10 to 10"):
        read(tmp_path, "id,threshold\na,2\nb,0\nc,11\n", "from,to\n")


def test_a_byte_order_mark_spaces_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    c = read(
        tmp_path,
        b"\xef\xbb\xbfid , group\r\na, majority\r\n\r\nb,minority\r\n,\r\nc,majority\r\n",
        "from,to\na,b\n",
    )
    assert c.resident_ids == ("a", "b", "c")
    assert c.group.tolist() == [0, 1, 0]


PLAIN = "id\na\nb\nc\n"

FAULTS = {
    "empty people": (
        "",
        TIES,
        "people.csv: the file is empty; its first line must name the columns, 'id', 'group', .*",
    ),
    "empty ties": (
        PEOPLE,
        "\n\n",
        "ties.csv: the file is empty; its first line must name the columns, 'from', 'to', .*",
    ),
    "only a header": ("id\n", TIES, "people.csv: there are no people below the header"),
    "no id": ("group\nmajority\n", TIES, "people.csv, line 1: there is no column 'id'; found are 'group'"),
    "no to": (
        PEOPLE,
        "from,weight\n",
        "ties.csv, line 1: there is no column 'to'; found are 'from', 'weight'",
    ),
    "unknown column": (
        "id,treshold\na,1\n",
        TIES,
        "people.csv, line 1: unknown column 'treshold'; allowed are .*; did you mean 'threshold'\\?",
    ),
    "column twice": ("id,id\na,b\n", TIES, "people.csv, line 1: the column 'id' stands twice"),
    "short row": (
        "id,group\na\n",
        TIES,
        "people.csv, line 2: 1 values were found; the header names 2 columns",
    ),
    "not csv": ('id\n"a"b\n', TIES, "people.csv, line 2: this is not CSV .*"),
    "empty id": ("id,group\n,majority\n", TIES, "people.csv, line 2: the id is empty"),
    "duplicate id": (
        "id\na\nb\na\n",
        TIES,
        "people.csv, line 4: the id 'a' stands twice \\(first on line 2\\)",
    ),
    "unknown group": (
        "id,group\na,majorty\n",
        TIES,
        "people.csv, line 2: unknown group 'majorty'; the scenario has .*; did you mean 'majority'\\?",
    ),
    "leader": ("id,leader\na,maybe\n", TIES, "people.csv, line 2: leader is 'maybe'; allowed is 0 or 1"),
    "leaning": (
        "id,leader,leaning\na,1,2\n",
        TIES,
        "people.csv, line 2: leaning is '2'; allowed is -1, 0 or 1",
    ),
    "leaning of others": (
        "id,leaning\na,1\n",
        TIES,
        "people.csv, line 2: a leaning is given for somebody who is not a leader; only leaders lean",
    ),
    "opposed participant": (
        "id,leader,leaning,participating\na,1,-1,1\n",
        TIES,
        "people.csv, line 2: an opposed leader participates; opposed leaders cannot take part",
    ),
    "participating": (
        "id,participating\na,\n",
        TIES,
        "people.csv, line 2: participating is ''; allowed is 0 or 1",
    ),
    "nan threshold": (
        "id,threshold\na,nan\n",
        TIES,
        "people.csv, line 2: threshold is 'nan'; allowed is a number .*",
    ),
    "word threshold": (
        "id,threshold\na,low\n",
        TIES,
        "people.csv, line 2: threshold is 'low'; allowed is a number .*",
    ),
    "not utf-8": (
        b"id\na\n\xff\n",
        TIES,
        "people.csv, line 3: this is not UTF-8 text; save the file as UTF-8",
    ),
    "ties not utf-8": (
        PLAIN,
        b"from,to\n\xe4,b\n",
        "ties.csv, line 2: this is not UTF-8 text; save the file as UTF-8",
    ),
    "unknown end": (
        PLAIN,
        "from,to\na,b\na,d\n",
        "ties.csv, line 3: 'd' in column 'to' is not an id of people.csv",
    ),
    "self tie": (PLAIN, "from,to\na,a\n", "ties.csv, line 2: 'a' is tied to itself"),
    "duplicate tie": (
        PLAIN,
        "from,to\na,b\nb,a\n",
        "ties.csv, line 3: the tie of 'b' and 'a' stands twice \\(first on line 2\\)",
    ),
    "negative weight": (
        PLAIN,
        "from,to,weight\na,b,-1\n",
        "ties.csv, line 2: weight is '-1'; allowed is a number from 0 .*",
    ),
    "nan weight": (
        PLAIN,
        "from,to,weight\na,b,NaN\n",
        "ties.csv, line 2: weight is 'NaN'; allowed is a number from 0 .*",
    ),
    "infinite weight": (
        PLAIN,
        "from,to,weight\na,b,inf\n",
        "ties.csv, line 2: weight is 'inf'; allowed is .*",
    ),
    "transmission": (
        PLAIN,
        "from,to,transmission\na,b,1.2\n",
        "ties.csv, line 2: transmission is '1.2'; allowed is a number from 0 to 1",
    ),
    "number of people": (
        "id\na\nb\n",
        "from,to\n",
        "community.residents: 3 residents, but people.csv lists 2 people; write `residents: 2`",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_sentence(fault: str, tmp_path: Path) -> None:
    people, ties, said = FAULTS[fault]
    with pytest.raises(ScenarioError, match=f"^{said}$") as caught:
        read(tmp_path, people, ties)
    assert str(tmp_path) not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    network = FromFiles(kind="files", people="nobody.csv", ties="ties.csv")
    with pytest.raises(
        ScenarioError, match=r"^nobody\.csv: the file cannot be read \(No such file or directory\)$"
    ):
        build(network, 3, folder=tmp_path)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    known = sha256(PEOPLE.encode()).hexdigest()
    read(tmp_path, people_sha256=known)
    with pytest.raises(
        ScenarioError, match=r"people\.csv: the file is not the one the scenario was resolved with"
    ):
        read(tmp_path, PEOPLE.replace("0.25", "0.26"), people_sha256=known)


def test_opposed_by_draw_and_participating_by_file(tmp_path: Path) -> None:
    """Who is drawn to be an opposed leader does not take part, whatever the file says."""
    people = "id,leader,participating\n" + "\n".join(f"p{i},1,1" for i in range(20)) + "\n"
    c = read(tmp_path, people, "from,to\n", residents=20)
    assert (c.leaning == -1).sum() == 2
    assert c.participating.sum() == 18
