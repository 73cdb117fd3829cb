"""The same rows everywhere, nasty where real ones are, and never half a database."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from examples.leaky_export.seed import (
    LARGEST_DETAILS,
    OTHER_TENANT_ID,
    SMALLEST_DETAILS,
    TENANT_ID,
    USER_ID,
    activity_rows,
    seed,
)
from tests.examples.conftest import SEEDED_ROWS

DIGEST_OF_300 = "de1f31d4a1effbe897ff61a4c86165bd7ef36acb3873fa5d98d9033b6181edb0"


def rows_of(database: Path) -> list[tuple[str, str, str, str, str]]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT tenant_id, user_id, timestamp, action, details FROM user_activity ORDER BY id"
        return connection.execute(query).fetchall()


def test_the_rows_are_the_same_on_every_machine(seeded: Path) -> None:
    digest = sha256()
    for row in rows_of(seeded):
        digest.update(repr(row).encode())
    assert digest.hexdigest() == DIGEST_OF_300


def test_it_writes_the_rows_asked_for_and_a_few_of_another_tenant(seeded: Path) -> None:
    owners = [(tenant, user) for tenant, user, *_ in rows_of(seeded)]
    assert owners.count((TENANT_ID, USER_ID)) == SEEDED_ROWS
    assert owners.count((OTHER_TENANT_ID, USER_ID)) == SEEDED_ROWS / 50
    assert len(owners) == SEEDED_ROWS * 51 / 50


def test_details_are_1_to_10_kb_of_nested_json_as_json_dumps_writes_it() -> None:
    texts = [row[-1] for row in activity_rows(3_000)]
    sizes = [len(text.encode()) for text in texts]
    assert min(sizes) >= SMALLEST_DETAILS
    assert max(sizes) <= LARGEST_DETAILS
    assert min(sizes) < 2_000
    assert max(sizes) > 9_000
    assert all(json.dumps(json.loads(text)) == text for text in texts)
    assert "page" in json.loads(texts[0])["changes"][0]["at"]


@pytest.mark.parametrize("nasty", [",", '"', "\n", "\r\n", "ö"])
def test_actions_hold_what_breaks_naive_csv(nasty: str) -> None:
    assert any(nasty in action for *_, action, _details in activity_rows(100))


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[int] = []
    seed(tmp_path / "activity.db", 2_500, told.append)
    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1] == 2_500


def test_it_refuses_a_file_that_exists(tmp_path: Path) -> None:
    database = tmp_path / "activity.db"
    database.write_text("precious")
    with pytest.raises(FileExistsError):
        seed(database, 10)
    assert database.read_text() == "precious"


def test_a_half_written_database_is_removed(tmp_path: Path) -> None:
    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(tmp_path / "activity.db", 10, stop)
    assert not list(tmp_path.iterdir())


def test_no_rows_make_no_database(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        seed(tmp_path / "activity.db", 0)
    assert not list(tmp_path.iterdir())
