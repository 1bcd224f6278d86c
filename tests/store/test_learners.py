import concurrent.futures
import dataclasses
import multiprocessing
import threading

import pytest
import sqlalchemy as sa
from store_samples import ADA, NOW, changed, insert, store

from lrs_soap import contract
from lrs_soap.rules import matching
from lrs_soap.store import engine as engines
from lrs_soap.store import learners, matches, tables, ulns

BEA = changed(uln="1000000027", given_name="Bea", master_uln=ADA.uln, learner_status="0")
ADA_TOO = changed(uln="1000000043", given_name="Ada Too")
CLEO = changed(uln="1000000035", given_name="Cleo", master_uln=BEA.uln, learner_status="0")


def replace(conn, old, new, **options):
    return learners.replace(conn, old, new, **{"changed_by": None, "user_name": "A Teacher", "at": NOW, **options})


def history(conn):
    return [row._asdict() for row in conn.execute(sa.select(tables.learner_history))]


def identities(conn):
    return {row.identity: row.uln for row in conn.execute(sa.select(tables.learner_identity))}


def register(url, start, answers):
    """What a server process does when it registers Ada."""
    engine = engines.create(url)
    start.wait()
    with engines.write(engine) as conn:
        answers.put(insert(conn, changed(uln=ulns.issue(conn)[0])))
    engine.dispose()


def test_a_stored_learner_is_the_contracts_and_its_master():
    of_contract = {field.attribute for field in contract.TYPES["Learner"].fields}
    derived = {"master_substituted", "linked_ulns"}
    stored = set(learners.FIELDS)
    assert stored == of_contract - derived | {"master_uln"}


def test_the_learner_table_holds_just_that_and_the_keys_and_who_is_a_master():
    fields = [*learners.FIELDS, "is_master", *(field.name for field in dataclasses.fields(matching.StoredKeys))]
    assert sorted(fields) == sorted(tables.learner.c.keys())


def test_a_learner_comes_back_as_it_was_stored(conn):
    everything = {
        field.name: f"  {field.name} É'\"%:?\\ \U0001f600 "
        for field in dataclasses.fields(ADA)
        if field.name not in ("uln", "version_number", "learner_status", "master_uln", "date_of_birth", "gender")
    }
    full = changed(**everything)
    assert insert(conn, full)
    assert learners.by_uln(conn, full.uln) == full
    optional = {name: None for name in everything if name not in required()}
    bare = changed(**optional, uln="1000000027", given_name="Bea")
    assert insert(conn, bare)
    assert learners.by_uln(conn, bare.uln) == bare


def required():
    return {column.name for column in tables.learner.c if not column.nullable}


def test_by_uln_of_nobody(conn):
    assert learners.by_uln(conn, ADA.uln) is None
    assert learners.by_uln(conn, ADA.uln, for_update=True) is None


def test_by_ulns_leaves_out_those_that_do_not_exist(engine):
    store(engine, ADA, BEA)
    with engines.read(engine) as conn:
        assert learners.by_ulns(conn, [BEA.uln, "1000000043", ADA.uln, ADA.uln]) == {ADA.uln: ADA, BEA.uln: BEA}
        assert learners.by_ulns(conn, []) == {}


def test_by_details_finds_live_learners_only(engine):
    store(engine, ADA, BEA)
    with engines.read(engine) as conn:
        assert matches.by_details(conn, ADA) == ADA
        assert matches.by_details(conn, changed(family_name="ONEILL")) == ADA
        assert matches.by_details(conn, BEA) is None
        assert matches.by_details(conn, changed(gender="1")) is None


def test_a_second_learner_of_one_identity_is_not_inserted(conn):
    assert insert(conn, ADA)
    assert not insert(conn, changed(uln="1000000027", title="Miss", given_name="ADA"))
    assert learners.by_uln(conn, "1000000027") is None
    assert insert(conn, changed(uln="1000000027", given_name="Bea"))  # the transaction goes on


def test_merged_and_deleted_learners_take_nobodys_place(conn):
    assert insert(conn, changed(learner_status="2"))
    assert insert(conn, changed(uln="1000000027", learner_status="0", master_uln="1000000035"))
    assert insert(conn, changed(uln="1000000035"))
    assert not insert(conn, changed(uln="1000000043"))


def test_a_uln_in_use_is_an_error(conn):
    assert insert(conn, ADA)
    with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
        insert(conn, changed(given_name="Bea"))


@pytest.mark.parametrize("threads", [2, 8])
def test_threads_that_register_one_person_make_one_learner(engine, threads):
    answers, start = [], threading.Barrier(threads)

    def work():
        start.wait()
        with engines.write(engine) as conn:
            answers.append(insert(conn, changed(uln=ulns.issue(conn)[0])))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(answers) == [False] * (threads - 1) + [True]
    with engines.read(engine) as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.learner)).scalar() == 1


def test_processes_that_register_one_person_make_one_learner(database_url):
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(2), spawn.Queue()
    workers = [spawn.Process(target=register, args=(database_url, start, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert sorted(answers.get(timeout=60) for _ in workers) == [False, True]
    for worker in workers:
        worker.join()


def test_linked_ulns_follow_chains(engine):
    store(engine, ADA, BEA, CLEO, changed(uln="1000000043", given_name="Dee"))
    with engines.read(engine) as conn:
        assert learners.linked_ulns(conn, ADA.uln) == [BEA.uln, CLEO.uln]
        assert learners.linked_ulns(conn, BEA.uln) == [CLEO.uln]
        assert learners.linked_ulns(conn, CLEO.uln) == []


def test_master_of_follows_chains(engine):
    store(engine, ADA, BEA, CLEO)
    with engines.read(engine) as conn:
        assert [learners.master_of(conn, learner) for learner in (ADA, BEA, CLEO)] == [ADA, ADA, ADA]


def test_a_circle_or_a_missing_master_ends_at_a_merged_learner(engine):
    lost = changed(uln="1000000043", master_uln="1000000051", learner_status="0")
    store(engine, changed(BEA, master_uln=CLEO.uln), CLEO, lost)
    with engines.read(engine) as conn:
        assert learners.master_of(conn, CLEO).learner_status == "0"
        assert learners.master_of(conn, lost) == lost
        assert learners.linked_ulns(conn, BEA.uln) == [CLEO.uln]


def masters(engine):
    with engines.read(engine) as conn:
        found = learners.by_ulns(conn, [ADA.uln, BEA.uln, CLEO.uln])
    return {uln for uln, learner in found.items() if learner.is_master}


def test_a_master_is_one_that_others_were_merged_into(engine):
    bea, cleo = changed(BEA, master_uln=None, learner_status="1"), changed(CLEO, master_uln=ADA.uln, version_number=3)
    store(engine, ADA, bea)
    assert masters(engine) == set()
    store(engine, CLEO)
    assert masters(engine) == {BEA.uln}
    with engines.write(engine) as conn:
        assert replace(conn, CLEO, changed(CLEO, master_uln=ADA.uln, version_number=2)) is learners.Replaced.DONE
    assert masters(engine) == {ADA.uln}
    with engines.write(engine) as conn:
        assert replace(conn, bea, changed(BEA, version_number=2)) is learners.Replaced.DONE
        unmerged = changed(cleo, master_uln=None, learner_status="1")
        assert replace(conn, changed(cleo, version_number=2), unmerged) is learners.Replaced.DONE
    assert masters(engine) == {ADA.uln}
    with engines.write(engine) as conn:
        assert replace(conn, changed(BEA, version_number=2), changed(bea, version_number=3)) is learners.Replaced.DONE
    assert masters(engine) == set()
    with engines.read(engine) as conn:
        assert learners.by_uln(conn, ADA.uln).version_number == 1
        assert {row["uln"] for row in history(conn)} == {BEA.uln, CLEO.uln}


@pytest.mark.parametrize("merge_first", [False, True])
def test_a_merge_and_an_unmerge_of_one_master_at_once(engine, merge_first):
    cleo = changed(CLEO, master_uln=None, learner_status="1")
    store(engine, ADA, BEA, cleo)
    merge = (cleo, changed(CLEO, master_uln=ADA.uln, version_number=2))
    unmerge = (BEA, changed(BEA, master_uln=None, learner_status="1", version_number=2))
    first, second = (merge, unmerge) if merge_first else (unmerge, merge)

    def change():
        with engines.write(engine) as conn:
            return replace(conn, *second)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with engines.write(engine) as conn:
            assert replace(conn, *first) is learners.Replaced.DONE
            waiting = pool.submit(change)
            # Whoever does not wait is done long before.
            concurrent.futures.wait([waiting], timeout=0.3)
        assert waiting.result(timeout=20) is learners.Replaced.DONE
    assert masters(engine) == {ADA.uln}


def test_candidates_are_live_or_merged_and_come_once(engine):
    query = matching.Query(
        given_name="Ada", family_name="O'Neill", date_of_birth="2008-02-29", gender="2", last_known_post_code="CV12WT"
    )
    deleted = changed(uln="1000000043", learner_status="2")
    other = changed(uln="1000000051", given_name="Zoe", family_name="Zu", last_known_post_code="B1 1AA")
    store(engine, ADA, BEA, deleted, other)
    with engines.read(engine) as conn:
        lookups = matching.lookups(query)
        found = matches.first_candidates(conn, lookups)
        assert sorted(found, key=lambda learner: learner.uln) == [ADA, BEA]
        assert sorted(one.uln for one in matches.candidates(conn, lookups)) == [ADA.uln, BEA.uln]
        assert len(matches.candidates(conn, lookups, limit=1)) == 1
        assert matches.candidates(conn, ()) == matches.first_candidates(conn, ()) == []
        for lookup in lookups:
            assert ADA in matches.first_candidates(conn, [lookup]) or lookup.values[-1] == "ada"


def test_of_many_candidates_what_decisions_look_at_is_read(engine):
    one, *others = [
        changed(uln=str(2_000_000_000 + n), last_known_post_code=f"B{n} 1AA") for n in range(matches.FEW + 1)
    ]
    store(engine, *others, changed(uln=BEA.uln, learner_status="2"))
    query = matching.Query(
        given_name="Ada", family_name="O'Neill", date_of_birth="2008-02-29", gender="2", last_known_post_code="CV1 2WT"
    )
    lookups = matching.lookups(query)
    with engines.read(engine) as conn:
        assert sorted(matches.first_candidates(conn, lookups), key=lambda found: found.uln) == others
    more = [changed(uln=str(2_100_000_000 + n), last_known_post_code=f"M{n} 1AA") for n in range(3)]
    store(engine, one, *more)
    with engines.read(engine) as conn:
        first, found = matches.first_candidates(conn, lookups), matches.candidates(conn, lookups)
    assert len(first) == matches.FEW + 1 and all(each in [one, *others, *more] for each in first)
    others += more
    wanted = [
        matches.Candidate(*(getattr(each, name) for name in matches.Candidate._fields)) for each in [one, *others]
    ]
    assert sorted(map(tuple, found)) == wanted
    assert {field for cls in matching.Candidate.__mro__ for field in getattr(cls, "__annotations__", ())} == {
        *matches.Candidate._fields
    }


def test_replace_writes_the_new_version_and_keeps_the_old(organisation_id, conn):
    assert insert(conn, ADA)
    new = changed(version_number=2, last_updated_date="2026-11-23", last_known_post_code="B1 1AA", notes="moved")
    assert replace(conn, ADA, new, changed_by=organisation_id) is learners.Replaced.DONE
    assert learners.by_uln(conn, ADA.uln) == new
    [row] = history(conn)
    assert learners.StoredLearner(**row["learner"]) == ADA
    assert (row["uln"], row["version_number"], row["replaced_at"]) == (ADA.uln, 1, NOW)
    assert (row["organisation_id"], row["user_name"]) == (organisation_id, "A Teacher")


def test_replace_moves_identity_and_keys(conn):
    assert insert(conn, ADA)
    new = changed(version_number=2, family_name="Byron")
    assert replace(conn, ADA, new) is learners.Replaced.DONE
    assert identities(conn) == {matching.identity(new): ADA.uln}
    assert matches.first_candidates(conn, matching.lookups(new)) == [new]
    assert insert(conn, changed(uln="1000000027"))  # the old identity is free


def test_replace_without_a_change_of_identity(conn):
    assert insert(conn, ADA)
    assert replace(conn, ADA, changed(version_number=2, title="Dr")) is learners.Replaced.DONE
    assert identities(conn) == {matching.identity(ADA): ADA.uln}


def test_a_stale_version_is_not_replaced(conn):
    assert insert(conn, ADA)
    second = changed(version_number=2, title="Dr")
    assert replace(conn, ADA, second) is learners.Replaced.DONE
    assert replace(conn, ADA, changed(version_number=2, family_name="Byron")) is learners.Replaced.STALE
    assert replace(conn, BEA, BEA) is learners.Replaced.STALE
    assert learners.by_uln(conn, ADA.uln) == second
    assert identities(conn) == {matching.identity(ADA): ADA.uln}
    assert len(history(conn)) == 1


def test_several_details_are_replaced_at_once_or_none_counts(engine):
    new = [changed(old, version_number=2, notes="new") for old in (ADA, ADA_TOO)]
    store(engine, ADA, ADA_TOO)
    with engines.write(engine) as conn:
        before = identities(conn)
        who = {"changed_by": None, "user_name": "A Teacher"}
        assert learners.replace_details(conn, [(ADA, new[0])], **who) is learners.Replaced.DONE
        assert learners.replace_details(conn, [], **who) is learners.Replaced.DONE
        assert [row["version_number"] for row in history(conn)] == [1]
        assert learners.by_uln(conn, ADA.uln) == new[0]
        pairs = [(ADA_TOO, new[1]), (ADA, new[0])]  # the second is another version by now
        assert learners.replace_details(conn, pairs, **who) is learners.Replaced.STALE
        assert len(history(conn)) == 1
        assert identities(conn) == before


def test_only_its_own_identity_is_given_up(conn):
    """Also of a learner who is said to have been what another is now."""
    insert(conn, ADA)
    insert(conn, ADA_TOO)
    was_ada = changed(ADA, uln=ADA_TOO.uln)
    assert replace(conn, was_ada, changed(ADA_TOO, version_number=2, family_name="King")) is learners.Replaced.DONE
    assert identities(conn)[matching.identity(ADA)] == ADA.uln


def test_who_keeps_its_identity_is_known():
    assert learners.keeps_identity(ADA, changed(ADA, notes="new", given_name=ADA.given_name.upper()))
    assert not learners.keeps_identity(ADA, changed(ADA, gender="1" if ADA.gender != "1" else "2"))
    assert not learners.keeps_identity(ADA, changed(ADA, learner_status="2"))
    assert not learners.keeps_identity(BEA, changed(BEA, master_uln=CLEO.uln))


def test_another_live_learners_identity_is_not_taken(conn):
    other = changed(uln="1000000027", given_name="Bea")
    assert insert(conn, ADA)
    assert insert(conn, other)
    assert replace(conn, other, changed(other, version_number=2, given_name="Ada")) is learners.Replaced.IDENTITY_TAKEN
    assert learners.by_uln(conn, other.uln) == other
    assert history(conn) == []
    assert identities(conn) == {matching.identity(ADA): ADA.uln, matching.identity(other): other.uln}


def test_a_learner_that_is_no_longer_live_gives_its_identity_up(conn):
    assert insert(conn, ADA)
    assert replace(conn, ADA, changed(version_number=2, learner_status="2")) is learners.Replaced.DONE
    assert identities(conn) == {}
    again = changed(version_number=3)
    assert replace(conn, changed(version_number=2, learner_status="2"), again) is learners.Replaced.DONE
    assert identities(conn) == {matching.identity(ADA): ADA.uln}


def test_of_two_updates_at_once_one_is_stale(engine):
    store(engine, ADA)
    outcomes, start = [], threading.Barrier(2)

    def work(title):
        start.wait()
        with engines.write(engine) as conn:
            outcomes.append(replace(conn, ADA, changed(version_number=2, title=title)))

    workers = [threading.Thread(target=work, args=(title,)) for title in ("Dr", "Lady")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(outcome.name for outcome in outcomes) == ["DONE", "STALE"]
    with engines.read(engine) as conn:
        assert len(history(conn)) == 1


def test_for_update_makes_others_wait(postgresql_databases):
    # On SQLite, write() alone does.
    url = postgresql_databases.migrated()
    engine = engines.create(url, lock_timeout=0.1)
    store(engine, ADA)
    with engines.write(engine) as conn:
        learners.by_uln(conn, ADA.uln, for_update=True)
        with pytest.raises(sa.exc.OperationalError, match="LockNotAvailable"), engines.write(engine) as other:
            learners.by_uln(other, ADA.uln, for_update=True)
    engine.dispose()
    postgresql_databases.drop(url)


def test_of_those_whose_keys_are_equal_the_one_whose_details_are_is_found(engine):
    long = "Maximiliana Theodora "
    one, other = (changed(uln=f"100000010{n}", given_name=long + name) for n, name in enumerate(("Ada", "Bea")))
    gone = changed(uln="1000000109", given_name=long + "Cleo", learner_status="2")
    store(engine, one, other, gone)
    with engines.read(engine) as conn:
        assert [matches.by_details(conn, each) for each in (one, other, gone)] == [one, other, None]
        if engine.dialect.name == "postgresql":
            wanted = [other, gone, one, one]
            assert matches.by_details_of_all(conn, wanted) == [other, None, one, one]


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_candidates_of_several_searches_are_those_of_each(engine, monkeypatch):
    swapped = changed(uln="1000000051", given_name=ADA.family_name, family_name=ADA.given_name, last_known_post_code="B1 1AA")
    store(engine, ADA, BEA, changed(uln="1000000043", learner_status="2"), swapped)
    searches = [
        ADA, swapped, changed(last_known_post_code="ZZ99 3CZ"), changed(family_name="Ada"),
        changed(date_of_birth="1999-01-01", last_known_post_code="B1 1AB"),
    ]  # fmt: skip
    lookups = [matching.lookups(search) for search in searches]

    def by_uln(found):
        return sorted(found, key=lambda one: one.uln)

    with engines.read(engine) as conn:
        alone = [by_uln(matches.first_candidates(conn, reads)) for reads in lookups]
        assert list(map(by_uln, matches.first_candidates_of_all(conn, lookups))) == alone
        monkeypatch.setattr(matches, "FEW", 1)
        first = matches.first_candidates_of_all(conn, lookups)
    assert [len(found) for found in alone] == [3, 3, 3, 3, 0]
    assert [len(found) for found in first] == [2, 2, 2, 2, 0]
    assert all(each in found for some, found in zip(first, alone, strict=True) for each in some)
