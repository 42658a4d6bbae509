-- Nobody asks for decisions by their time, and each insert paid for it.
DROP INDEX decisions_by_time;
