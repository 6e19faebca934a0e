"""What every operation of the store is made of.

**What a transaction is here.** READ COMMITTED, and short. Each of its statements sees what was
committed when the statement began. One that waits for a lock goes on with what it saw then; only
the locked row itself is read anew. So an operation goes in this order:

1. Look, unlocked, only to learn which rows to lock.
2. Lock them, in the one order.
3. Decide, in later statements, on what is locked.
4. Write back once (`UnitOfWork.save`), commit, and notify after the commit.

A statement that locks and counts at once would decide on what it saw before it waited: two last
siblings would each see the other alive. What is read of the locked row itself may share the
statement.

**The lock order.** Years, then pipelines by number, then exclusive keys by name, then jobs by
number, then claims; freshness is written last, by name. Who locks a row later than this order
says can deadlock with anybody who follows it.

* Years are locked FOR SHARE: only the locking of a period changes one.
* Pipelines are locked FOR NO KEY UPDATE, so that links to them can be inserted meanwhile.
* Keys that are missing are made before any is locked, in one statement (`hold_keys.sql`).
* Claim and Heartbeat wait for nothing: they skip what is locked.
* Nobody waits for a claim but who has locked its job. What marks the other claims of a worker
  (`release/company.py`) skips those that are locked, and does nothing with that worker then.

`tests/scheduler_service/store/test_operations_at_once.py` drives every pair of operations against
each other.

**Why MustLockMore.** What is found under locks may name rows that are not locked: a pipeline that
joined meanwhile, the key of a child that was staged meanwhile. To lock them now could break the
order. So the operation raises MustLockMore: everything is rolled back, and `UnitRunner` starts it
over with these rows, too. The same happens when PostgreSQL asks for another try.
"""
