-- Decisions that kept the cut and have no row of their own: the next row of the deployment counts them.
ALTER TABLE decisions ADD COLUMN kept_before INTEGER NOT NULL DEFAULT 0;
